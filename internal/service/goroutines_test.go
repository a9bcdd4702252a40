package service

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	logrustest "github.com/sirupsen/logrus/hooks/test"

	"github.com/packetcache/packetcache/eventlog"
)

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		stacks string
		want   []string
	}{
		{"", []string{""}},
		{"short", []string{"short"}},
		{"aaaa\n\nbbbb\n\nccccc", []string{"aaaa\n\n", "bbbb\n\n", "ccccc"}},
		{"aa\n\nbb\n\ncccccccccccc", []string{"aa\n\nbb\n\n", "cccccccccc", "cc"}},
		{"\n\naaaaaaaaaa", []string{"\n\naaaaaaaa", "aa"}},
	} {
		parts := split([]byte(test.stacks), 10)
		var got []string
		for _, p := range parts {
			got = append(got, string(p))
		}
		if strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("%q: %q, want %q", test.stacks, got, test.want)
		}
		if !bytes.Equal(bytes.Join(parts, nil), []byte(test.stacks)) {
			t.Errorf("%q: something is lost in %q", test.stacks, parts)
		}
	}
}

// However many goroutines there are, an entry fits into an event.
func TestLogGoroutines(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for range 2000 {
		go func() { <-release }()
	}
	c := quiet()
	hook := logrustest.NewLocal(c.Log)
	logGoroutines(c.Log, eventlog.StopOverdue("a test"))
	text := loggedStacks(hook)
	if n := len(text); n < 2*eventlog.MaxLines || n > stacksMax {
		t.Errorf("%d bytes were logged in all", n)
	}
	if !strings.Contains(text, "TestLogGoroutines") {
		t.Errorf("the log lacks this test:\n%.2000s", text)
	}
	if first := hook.AllEntries()[0]; !strings.Contains(first.Message, "(a test)") || first.Level != logrus.ErrorLevel {
		t.Errorf("the log begins with %s: %s", first.Level, first.Message)
	}
}

// loggedStacks are the goroutines in a log.
func loggedStacks(hook *logrustest.Hook) string {
	var text strings.Builder
	for _, e := range hook.AllEntries() {
		if o, ok := e.Data[eventlog.Field].(eventlog.Occurrence); ok && o.Event().Name == "StoppedWhere" {
			text.WriteString(o.Values()[2])
		}
	}
	return text.String()
}

// A hangingHook is a log that does not come back.
type hangingHook struct{ release chan struct{} }

func (hangingHook) Levels() []logrus.Level { return logrus.AllLevels }
func (h hangingHook) Fire(*logrus.Entry) error {
	<-h.release
	return nil
}

func TestLogThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quiet()
		release := make(chan struct{})
		c.Log.AddHook(hangingHook{release})
		begun := time.Now()
		logGoroutines(c.Log, eventlog.StopOverdue("a test"))
		if took := time.Since(begun); took != logPatience {
			t.Errorf("it waited for the log for %v", took)
		}
		close(release)
	})
}

// hangHere is what a stack is looked for.
func hangHere(stuck <-chan struct{}) { <-stuck }
