package daemon

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
)

var pipes atomic.Int32

// endpointDir is a suffix that no other test uses.
func endpointDir(testing.TB) string {
	return fmt.Sprintf("-daemon-%d-%d", os.Getpid(), pipes.Add(1))
}
