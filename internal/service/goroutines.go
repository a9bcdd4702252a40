package service

import (
	"bytes"
	"runtime"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
)

const (
	// stacksMax is how many bytes of goroutines are logged.
	stacksMax = 256 << 10
	// logPatience is how long the log may take, which may hang as well.
	logPatience = 2 * time.Second
)

// logGoroutines tells the log that the service hangs, and what all goroutines
// are doing.
func logGoroutines(log *logrus.Logger, overdue eventlog.Occurrence) {
	stacks := make([]byte, stacksMax)
	stacks = stacks[:runtime.Stack(stacks, true)]
	written := make(chan struct{})
	go func() {
		defer close(written)
		overdue.Log(log)
		parts := split(stacks, eventlog.MaxLines)
		for i, part := range parts {
			eventlog.StoppedWhere(uint64(i+1), uint64(len(parts)), string(part)).Log(log)
		}
	}()
	select {
	case <-written:
	case <-time.After(logPatience):
	}
}

// split cuts a dump of goroutines into parts of at most size bytes, between
// goroutines where there is such a place.
func split(stacks []byte, size int) [][]byte {
	var parts [][]byte
	for len(stacks) > size {
		n := size
		if at := bytes.LastIndex(stacks[:size], []byte("\n\n")); at > 0 {
			n = at + 2
		}
		parts = append(parts, stacks[:n])
		stacks = stacks[n:]
	}
	return append(parts, stacks)
}
