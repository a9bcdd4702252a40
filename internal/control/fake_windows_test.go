package control

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
)

var suffixes atomic.Int64

func endpointDir(testing.TB) string {
	return fmt.Sprintf("-test-%d-%d", os.Getpid(), suffixes.Add(1))
}
