package service

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestConsoleLimit(t *testing.T) {
	for sig, want := range map[os.Signal]time.Duration{os.Interrupt: 20 * time.Second, syscall.SIGTERM: 4 * time.Second} {
		if got := consoleLimit(sig); got != want {
			t.Errorf("%v: %v, want %v", sig, got, want)
		}
	}
}
