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

// What is left of a stop for wiping the memory is what that takes, and no more than
// a quarter of it.
func TestSaveBy(t *testing.T) {
	const gib = 1 << 30
	for _, test := range []struct {
		budget      uint64
		limit, want time.Duration // between the end of sealing and that of the stop
	}{
		{gib / 64, 4 * time.Second, 210 * time.Millisecond},
		{gib * 3 / 2, 4 * time.Second, 1200 * time.Millisecond},
		{6 * gib, 20 * time.Second, 4200 * time.Millisecond},
		{60 * gib, 20 * time.Second, 5200 * time.Millisecond},
	} {
		stop := time.Now().Add(test.limit)
		d := &Daemon{o: Options{StopBy: func(context.Context) time.Time { return stop }}}
		d.granted.Store(test.budget)
		for range 2 {
			// A part of it counts from now on.
			if got := stop.Sub(d.saveBy(t.Context())); (got - test.want).Abs() > 100*time.Millisecond {
				t.Errorf("with %d bytes and %v there are %v left, want %v", test.budget, test.limit, got, test.want)
			}
		}
	}
}
