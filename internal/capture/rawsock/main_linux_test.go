package rawsock

import (
	"os"
	"testing"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
)

func TestMain(m *testing.M) { os.Exit(capturetest.MainInNetNS(m)) }

// needRaw makes a loopback interface that nobody else uses.
func needRaw(t testing.TB) {
	t.Helper()
	capturetest.NeedNetNS(t)
	capturetest.IP(t, "link set lo up")
}
