package rawsock

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/capture"
)

// The call is made on a bound socket. Where there is no such thing, as under
// Wine, the error says so and what was tried.
func TestReceiveAll(t *testing.T) {
	s := newSockets(network, receiveAll)
	for _, promiscuous := range []bool{false, true} {
		src, err := s.Open(Config{Addrs: []netip.Addr{home}, Promiscuous: promiscuous})
		switch {
		case err == nil:
			if err := src.close(); err != nil {
				t.Error(err)
			}
		case errors.Is(err, fs.ErrPermission):
			t.Skip(err)
		case !errors.Is(err, windows.WSAEOPNOTSUPP) || !strings.Contains(err.Error(), "at 127.72.0.1: SIO_RCVALL"):
			t.Errorf("promiscuous %v: %v", promiscuous, err)
		}
	}
}

func TestExplain(t *testing.T) {
	if err := explain(os.NewSyscallError("socket", windows.WSAEACCES)); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "administrator") {
		t.Errorf("without permission: %v", err)
	}
	_, err := testSockets().Open(Config{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.77")}})
	if !errors.Is(err, capture.ErrVanished) && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("at an address that is not ours: %v", err)
	}
}

func TestNow(t *testing.T) {
	if apart := time.Since(time.Unix(0, now())).Abs(); apart > time.Second {
		t.Errorf("the clocks are %v apart", apart)
	}
}
