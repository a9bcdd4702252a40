package service

import (
	"fmt"
	"net"
	"os"
	"testing"
)

// systemd may use a socket in the abstract namespace (unix(7)).
func TestNotifyAbstract(t *testing.T) {
	name := fmt.Sprintf("@packetcache-test-%d", os.Getpid())
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := notify(name, "READY=1"); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, 64)
	if n, err := conn.Read(message); err != nil || string(message[:n]) != "READY=1" {
		t.Errorf("got %q, %v", message[:n], err)
	}
}
