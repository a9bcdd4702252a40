package pcctl

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// endPatience is how long a dump that is ended may take to come to its end.
const endPatience = 30 * time.Second

// inGoodOrder is a context for a dump that the end of ctx asks to end: it ends a
// while later.
func inGoodOrder(ctx context.Context) (later context.Context, done func()) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(endPatience):
			cancel()
		case <-later.Done():
		}
	})
	return later, func() { stop(); cancel() }
}

// A connection is one of TCP.
type connection struct{ client, server netip.AddrPort }

func (c connection) known() bool { return c.client.IsValid() }

// filter matches the packets of the connection, in both directions.
func (c connection) filter() string {
	return fmt.Sprintf("tcp and host %s and host %s and port %d and port %d",
		c.client.Addr(), c.server.Addr(), c.client.Port(), c.server.Port())
}

// ownConnection is the ssh connection that this runs over, if it does: sshd(8)
// names it in SSH_CONNECTION. sudo takes that away, but not from those who called
// it.
func ownConnection() connection {
	for _, given := range append([]string{os.Getenv(sshVariable)}, inherited(sshVariable)...) {
		if c, ok := parseConnection(given); ok {
			return c
		}
	}
	return connection{}
}

const sshVariable = "SSH_CONNECTION"

// parseConnection reads what sshd says: the client's address and port, the
// server's address and port.
func parseConnection(s string) (c connection, ok bool) {
	words := strings.Fields(s)
	if len(words) != 4 {
		return c, false
	}
	client, err1 := endpoint(words[0], words[1])
	server, err2 := endpoint(words[2], words[3])
	return connection{client, server}, err1 == nil && err2 == nil
}

func endpoint(address, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	// A filter takes neither zones nor mapped addresses.
	return netip.AddrPortFrom(a.WithZone("").Unmap(), uint16(number)), err
}
