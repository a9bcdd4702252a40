package pcctl

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
)

// A place holds settings of some origin, and writes none.
type place struct {
	origin  config.Origin
	entries []config.Entry
	written []string
	err     error
}

func (p *place) Origin() config.Origin         { return p.origin }
func (p *place) Location() string              { return "the " + p.origin.String() }
func (p *place) Read() ([]config.Entry, error) { return p.entries, nil }

func (p *place) Set(key string, values ...string) error {
	p.written = append(p.written, fmt.Sprintf("%s=%q", key, values))
	return p.err
}

func (p *place) Unset(key string) error {
	p.written = append(p.written, key)
	return p.err
}

func (p *place) Remove() error {
	p.written = append(p.written, "removed")
	return p.err
}

// configure runs a command on a machine with these settings and no service.
func configure(t *testing.T, store *place, policy *place, args ...string) (code int, out, errs string) {
	t.Helper()
	t.Setenv(envEndpointDir, fakeEndpoint(t)) // where nothing listens
	m := machine{store: store, settings: func() *config.Loaded {
		return (&config.Loader{Sources: []config.Source{store, policy}}).Load(nil)
	}}
	var stdout, stderr bytes.Buffer
	if err := newApp(m, &stdout, &stderr).Run(append([]string{"pcctl", "config"}, args...)); err != nil {
		code = report(&stderr, err)
	}
	return code, stdout.String(), stderr.String()
}

func TestPolicyIsNotOverridden(t *testing.T) {
	policy := &place{origin: config.Policy, entries: []config.Entry{
		{Key: "ram-percent", Value: config.Words{"5"}, Where: `HKLM\SOFTWARE\Policies\PacketCache\RamPercent`},
	}}
	store := &place{origin: config.Registry}
	code, out, errs := configure(t, store, policy, "set", "ram-percent", "2")
	if code != exitFailed || out != "" || len(store.written) > 0 ||
		!strings.Contains(errs, `ram-percent is fixed at 5 by policy (HKLM\SOFTWARE\Policies\PacketCache\RamPercent)`) ||
		!strings.Contains(errs, "Hint: nothing was changed") {
		t.Errorf("code %d, %q, %q; written %q", code, out, errs, store.written)
	}
	code, out, errs = configure(t, store, policy, "unset", "ram-percent")
	if code != exitOK || !strings.Contains(out, "ram-percent is not set in the registry; it is 5 (policy)") || len(store.written) != 1 {
		t.Errorf("code %d, %q, %q; written %q", code, out, errs, store.written)
	}
	code, out, errs = configure(t, store, policy, "list", "--origin")
	if code != exitOK || !strings.Contains(out, `policy   HKLM\SOFTWARE\Policies\PacketCache\RamPercent`) {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
}

func TestSettingsNeedAnAdministrator(t *testing.T) {
	denied := fmt.Errorf("settings cannot be written: %w", fs.ErrPermission)
	for _, args := range [][]string{{"set", "ram-percent", "2"}, {"unset", "ram-percent"}} {
		store := &place{origin: config.Registry, err: denied}
		code, out, errs := configure(t, store, &place{origin: config.Policy}, args...)
		if code != exitNotPermitted || out != "" ||
			!strings.HasPrefix(errs, "pcctl config "+args[0]+": not permitted: settings cannot be written: ") ||
			!strings.Contains(errs, "Hint: "+hintElevate) {
			t.Errorf("%q: code %d, %q, %q", args, code, out, errs)
		}
	}
}

// What is written is one argument a value, whatever is in it.
func TestValuesAreNotSplit(t *testing.T) {
	store := &place{origin: config.Registry}
	code, out, errs := configure(t, store, &place{origin: config.Policy}, "set", "interfaces", "Ethernet, 2", "-x", "")
	if code != exitUsage || len(store.written) > 0 || !strings.Contains(errs, "an empty item names nothing") {
		t.Errorf("code %d, %q, %q; written %q", code, out, errs, store.written)
	}
	code, out, errs = configure(t, store, &place{origin: config.Policy}, "set", "interfaces", "Ethernet, 2", "-x")
	if want := `interfaces=["Ethernet, 2" "-x"]`; code != exitOK || len(store.written) != 1 || store.written[0] != want {
		t.Errorf("code %d, %q, %q; written %q, want %s", code, out, errs, store.written, want)
	}
}
