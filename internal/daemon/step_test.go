package daemon

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/ipc"
)

func TestFailedAt(t *testing.T) {
	if err := failedAt(StepMemory, nil); err != nil {
		t.Errorf("nothing failed, and yet %v", err)
	}
	err := failedAt(StepDump, ipc.ErrInUse)
	var start *StartError
	if !errors.As(err, &start) || start.Step != StepDump || !errors.Is(err, ipc.ErrInUse) || err.Error() != ipc.ErrInUse.Error() {
		t.Errorf("got %#v", err)
	}
}

func TestReplayThatIsNotThere(t *testing.T) {
	err := Run(t.Context(), options(config.Defaults(), "no-such-file.pcap"), func() { t.Error("it is ready") })
	var start *StartError
	if !errors.As(err, &start) || start.Step != StepReplay {
		t.Errorf("got %v, want the step", err)
	}
}

// Clients get no more than half of the time that is left.
func TestStopPatience(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{
		time.Hour: stopPatience, 20 * time.Second: stopPatience, 4 * time.Second: 2 * time.Second, -time.Second: 0,
	} {
		d := &Daemon{o: Options{StopBy: func(context.Context) time.Time { return time.Now().Add(left) }}}
		if got := d.stopPatience(t.Context()); got > want || got < want-time.Second {
			t.Errorf("with %v left they get %v, want %v", left, got, want)
		}
	}
	if got := (&Daemon{}).stopPatience(t.Context()); got != stopPatience {
		t.Errorf("without a deadline they get %v", got)
	}
}
