package service

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	logrustest "github.com/sirupsen/logrus/hooks/test"
)

// attendQuietly runs a daemon that nobody stops, in a bubble. What stuck is good
// for ends with that.
func attendQuietly(t *testing.T, c Config, run func(stuck <-chan struct{}, ready func())) (took time.Duration, err error) {
	t.Helper()
	// Package os/signal starts a goroutine when it is first used, which is none
	// of the bubble's.
	warm := make(chan os.Signal, 1)
	signal.Notify(warm, os.Interrupt)
	defer signal.Stop(warm)
	synctest.Test(t, func(*testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		begun := time.Now()
		err = attend(c, func(_ context.Context, ready func()) error {
			run(stuck, ready)
			return nil
		}, []os.Signal{os.Interrupt}, func(os.Signal) time.Duration { return stopLimit },
			listener{ready: func() error { return nil }, stopping: func() {}})
		took = time.Since(begun)
	})
	return took, err
}

// A daemon that does not get ready is ended, and the log shows where it hangs.
func TestStartHangs(t *testing.T) {
	c := quiet()
	hook := logrustest.NewLocal(c.Log)
	took, err := attendQuietly(t, c, func(stuck <-chan struct{}, _ func()) { hangHere(stuck) })
	if !errors.Is(err, ErrHung) || !strings.Contains(err.Error(), "not started within 1m0s") || took != startLimit {
		t.Errorf("after %v: %v", took, err)
	}
	if stacks := loggedStacks(hook); !strings.Contains(stacks, "hangHere") {
		t.Errorf("the log does not show where it hangs:\n%s", stacks)
	}
	if first := hook.AllEntries()[0].Message; !strings.Contains(first, "did not start within 1m0s") {
		t.Errorf("the log begins with %q", first)
	}
}

// One that took its time may go on for ever.
func TestSlowStart(t *testing.T) {
	took, err := attendQuietly(t, quiet(), func(_ <-chan struct{}, ready func()) {
		time.Sleep(startLimit - time.Second)
		ready()
		time.Sleep(24 * time.Hour)
	})
	if err != nil || took < 24*time.Hour {
		t.Errorf("after %v: %v", took, err)
	}
}
