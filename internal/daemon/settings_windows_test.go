package daemon

import (
	"errors"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
)

// Values in the registry apply while the service runs, a policy before all
// else, and a wrong one leaves the last good one in force.
func TestRegistryChangesLive(t *testing.T) {
	const settings, policy = `SOFTWARE\PacketCache`, `SOFTWARE\Policies\PacketCache`
	for _, path := range []string{settings, policy} {
		if key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE|registry.WOW64_64KEY); err == nil {
			key.Close()
			t.Skipf(`HKLM\%s exists: this machine has settings of its own`, path)
		}
	}
	set := func(path, name, value string) {
		t.Helper()
		key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, path, registry.SET_VALUE|registry.WOW64_64KEY)
		if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			t.Skip("needs an administrator: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer key.Close()
		if err := key.SetStringValue(name, value); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(path string) {
		if err := registry.DeleteKey(registry.LOCAL_MACHINE, path); err != nil && !errors.Is(err, registry.ErrNotExist) {
			t.Error(err)
		}
	}
	defer remove(settings)
	defer remove(policy)

	dir := endpointDir(t)
	args := &config.Args{}
	args.Set("endpoint-dir", dir)
	loader := &config.Loader{Sources: append(config.MachineSources(), args), TotalRAM: 1 << 30, CheckFilter: CheckFilter}
	s := &subject{t: t, dir: dir, client: control.NewClient(dir)}
	s.run(Options{
		Loader: loader, Loaded: loader.Load(nil), Log: logrus.New(), Foreground: &s.said,
		Replay: []string{writeCapture(t, "a.pcap", packet.LinkTypeEthernet, 1000)},
	})
	budget := func(what string, mib int64) control.Status {
		t.Helper()
		return s.await(what, func(st control.Status) bool { return st.Memory.BudgetBytes == mib<<20 })
	}
	s.await("the replay", func(st control.Status) bool { return st.Totals.Seen.Packets == 1000 && st.State == control.StateIdle })

	set(settings, "RamSize", "32MiB")
	budget("a value of a key that was not there", 32)
	set(policy, "RamSize", "12MiB")
	budget("a policy", 12)
	set(settings, "RamSize", "48MiB")
	set(policy, "RamSize", "much")
	st := s.await("a wrong policy", func(st control.Status) bool {
		return strings.Contains(strings.Join(st.Warnings, "\n"), `Policies\PacketCache\RamSize`)
	})
	if st.Memory.BudgetBytes != 12<<20 {
		t.Errorf("a wrong policy makes the budget %d", st.Memory.BudgetBytes)
	}
	remove(policy)
	st = budget("the policy gone", 48)
	if st.Totals.Evicted.Packets != 0 || !st.Memory.Locked {
		t.Errorf("of a small file packets were evicted, or memory is not locked: %+v, %+v", st.Totals, st.Memory)
	}
	for _, words := range []string{"ram-size was changed from 32MiB to 12MiB (policy)", "ram-size was changed from 12MiB to 48MiB (registry)"} {
		if !strings.Contains(s.log.String(), words) {
			t.Errorf("the log lacks %q:\n%s", words, s.log.String())
		}
	}
}
