package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
)

// A recorder is a Sink that remembers.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) Event(o eventlog.Occurrence) error {
	r.add(fmt.Sprintf("%s %s: %s", o.Event().Severity, o, o.Text()))
	return nil
}

func (r *recorder) Plain(level logrus.Level, text string) error {
	r.add(fmt.Sprintf("%s: %s", level, text))
	return nil
}

func (r *recorder) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

// take returns what came since the last time.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

func newLog() (*logrus.Logger, *Hook, *recorder) {
	r := &recorder{}
	log, hook := logTo(r)
	return log, hook, r
}

func logTo(sink Sink) (*logrus.Logger, *Hook) {
	hook := NewHook(sink)
	log := logrus.New()
	log.SetOutput(io.Discard)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, DisableTimestamp: true})
	log.AddHook(hook)
	return log, hook
}

func TestHook(t *testing.T) {
	log, hook, r := newLog()
	eventlog.CaptureFailed("eth0", errors.New("no such device")).Log(log)
	log.WithField("client", "root").Info("Client left")
	log.Warn("something new")
	log.WithError(errors.New("odd")).Error("something worse")
	log.Debug("not at this level")
	log.SetLevel(logrus.ErrorLevel)
	eventlog.InterfaceMissing("eth1").Log(log)
	hook.Close()
	want := []string{
		"Error 1103: Capture failed on eth0: no such device. It is tried again.",
		`info: level=info msg="Client left" client=root`,
		`Warning 1099: level=warning msg="something new"`,
		`Warning 1099: level=error msg="something worse" error=odd`,
	}
	if got := r.take(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// An interface that flaps ten times a second, beside one that does not.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, hook, r := newLog()
		for range 10 * 60 * 4 {
			eventlog.CaptureStopped("usb0", "unplugged").Log(log)
			time.Sleep(100 * time.Millisecond)
		}
		eventlog.CaptureStopped("eth0", "unplugged").Log(log)
		eventlog.CaptureStarted("usb0", "afpacket", "Ethernet").Log(log)
		synctest.Wait()
		got := r.take()
		// 20 at once, then one a minute for 4 minutes but a little.
		if n := len(got); n < subjectBurst+3+2 || n > subjectBurst+4+2 {
			t.Errorf("%d events in 4 minutes", n)
		}
		if end := strings.Join(got[len(got)-2:], "\n"); !strings.Contains(end, "stopped on eth0") || !strings.Contains(end, "started on usb0") {
			t.Errorf("events about others were left out: %s", end)
		}
		left := 2400 - (len(got) - 2)
		time.Sleep(2 * time.Minute)
		want := fmt.Sprintf("Warning 1011: %d events with the ID 1102 were left out here in the last 5m0s, because there were too many of them: %[1]d about usb0.", left)
		if got := r.take(); len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
		time.Sleep(time.Hour)
		if got := r.take(); len(got) != 0 {
			t.Errorf("an hour later %q", got)
		}
		// After a quiet time it has its say again.
		for range subjectBurst + 1 {
			eventlog.CaptureStopped("usb0", "unplugged").Log(log)
		}
		synctest.Wait()
		if got := r.take(); len(got) != subjectBurst {
			t.Errorf("%d events after an hour, want %d", len(got), subjectBurst)
		}
		hook.Close()
		if got := r.take(); len(got) != 1 || !strings.Contains(got[0], "1 events with the ID 1102") {
			t.Errorf("at the end %q", got)
		}
	})
}

// Many subjects at once cost neither a flood of events nor memory.
func TestManySubjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, hook, r := newLog()
		const many = 10_000
		for i := range many {
			eventlog.AccessRefused(fmt.Sprintf("user %05d", i), "").Log(log)
		}
		synctest.Wait()
		if got := r.take(); len(got) != idBurst {
			t.Errorf("%d events, want %d", len(got), idBurst)
		}
		if n := len(hook.limit.ids[1204].subjects); n > maxSubjects+1 {
			t.Errorf("%d subjects are remembered", n)
		}
		hook.Close()
		got := r.take()
		if len(got) != 1 || !strings.Contains(got[0], "9900 events") || !strings.Contains(got[0], "1 about user 00100, ") ||
			!strings.Contains(got[0], "9890 about others") {
			t.Errorf("told of %q", got)
		}
		// Once the buckets are full again, the subjects are forgotten.
		time.Sleep(time.Hour)
		for i := range 2 {
			eventlog.AccessRefused(fmt.Sprintf("later user %d", i), "").Log(log)
		}
		if n := len(hook.limit.ids[1204].subjects); n != 2 {
			t.Errorf("%d subjects are remembered an hour later", n)
		}
	})
}

// A stuck sink answers when it is let go, as a journal does that has no disk.
type stuck struct {
	recorder
	goOn chan struct{}
}

func (s *stuck) Event(o eventlog.Occurrence) error {
	<-s.goOn
	return s.recorder.Event(o)
}

// While the system's log hangs nobody has to wait for it; what it missed is
// counted.
func TestStuckSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stuck{goOn: make(chan struct{})}
		log, hook := logTo(s)
		const each = subjectBurst
		names := []string{"eth0", "eth1", "eth2", "eth3"}
		for range each {
			for _, name := range names {
				eventlog.CaptureStopped(name, "unplugged").Log(log)
				eventlog.CaptureStarted(name, "afpacket", "Ethernet").Log(log)
				synctest.Wait() // the first is in the sink before the others wait
			}
		}
		if n := len(hook.waiting); n != mostWaiting {
			t.Errorf("%d events wait, want %d", n, mostWaiting)
		}
		close(s.goOn)
		hook.Close()
		got := s.take()
		told := 0
		for _, line := range got {
			var n int
			if _, err := fmt.Sscanf(line, "Warning 1011: %d events", &n); err == nil {
				told += n
			} else {
				told++
			}
		}
		if want := each * len(names) * 2; told != want || len(got) > mostWaiting+3 {
			t.Errorf("told of %d events in %d lines, want %d", told, len(got), want)
		}
	})
}

// The end of the service waits for a log that hangs, but not for long.
func TestStuckSinkAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stuck{goOn: make(chan struct{})}
		log, hook := logTo(s)
		eventlog.CaptureStopped("eth0", "unplugged").Log(log)
		begun := time.Now()
		hook.Close()
		if took := time.Since(begun); took != closePatience {
			t.Errorf("closing took %v", took)
		}
		close(s.goOn)
	})
}
