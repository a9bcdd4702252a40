package eventlog

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
)

func TestTexts(t *testing.T) {
	for _, test := range []struct {
		got  Occurrence
		want string
	}{
		{CaptureFailed("Ethernet 2", errors.New("the adapter is gone")), "Capture failed on Ethernet 2: the adapter is gone. It is tried again."},
		{CaptureFailed("Ethernet 2", errors.Join(errors.New("no driver"), errors.New("no adapter"))), "Capture failed on Ethernet 2: no driver; no adapter. It is tried again."},
		{DumpServed("alice", "", 3, 4000, "", 0), "Dump served to alice, -: 3 packets, 4000 bytes, filter -. 0 packets were evicted before they could be read."},
		{MachineSlept(90*time.Minute + time.Nanosecond), "The machine slept for 1h30m0s, in which nothing was recorded."},
		// What users write is not read as a text of ours, nor as another line.
		{AccessRefused("%2", "a\r\nlevel=info\x00\x1b[31m\u2028b\xff"), "Access refused to %2, a  level=info  [31m b\uFFFD."},
	} {
		if got := test.got.Text(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	for n := range 5 {
		value := strings.Repeat("x", n) + strings.Repeat("€", maxValue)
		got := Unnumbered(value).Values()[0]
		if len(got) > maxValue || len(got) < maxValue-len("€") || !strings.HasSuffix(got, "€...") {
			t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-10:])
		}
	}
}

func TestLinesAreKept(t *testing.T) {
	text := "goroutine 1 [running]:\n\tmain.go:1\n" + strings.Repeat("€", MaxLines)
	got := StoppedWhere(1, 2, text).Values()[2]
	if len(got) > MaxLines || len(got) < MaxLines-len("€") || !strings.HasPrefix(text, got) {
		t.Errorf("%d bytes, beginning with %.40q", len(got), got)
	}
}

// What a log in plain text shows of an event.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, DisableTimestamp: true})
	CaptureStopped("eth0", "unplugged").Log(log)
	InterfaceMissing("eth1").Log(log)
	EndpointFailed("dump endpoint", errors.New("too many open files")).Log(log)
	want := `level=info msg="Capture stopped on eth0: unplugged." event=1102
level=warning msg="The interface eth1 is asked for and not there; it is waited for." event=1104
level=error msg="The dump endpoint failed: too many open files." event=1008
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

// TestRecorded: what a log has kept reads as it did when it happened.
func TestRecorded(t *testing.T) {
	told := CaptureFailed("eth0", errors.New("no driver"))
	again, known := Recorded(told.Event().ID, told.Values())
	if !known || again.Text() != told.Text() || again.Event().Name != "CaptureFailed" {
		t.Errorf("%v, %q", known, again.Text())
	}
	if short, known := Recorded(told.Event().ID, nil); !known || short.Text() == "" {
		t.Errorf("without values: %q", short.Text())
	}
	if _, known := Recorded(64000, nil); known {
		t.Error("an event that is not in the catalogue is known")
	}
}
