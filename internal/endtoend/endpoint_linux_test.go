package endtoend

import (
	"io"
	"net"
	"testing"
	"time"
)

// slurp reads a connection to its end.
func slurp(t testing.TB, conn net.Conn) []byte {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("after %d bytes: %v", len(b), err)
	}
	return b
}
