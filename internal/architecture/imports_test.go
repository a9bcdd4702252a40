// Package architecture holds the module to the import directions that
// docs/architecture.md draws. The linter sees single imports; this sees what
// is linked, however many packages lie between.
package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/packetcache/packetcache/"

// A rule forbids packages to link others. Names are relative to the module
// unless they begin with a domain; /... stands for a package and all below.
type rule struct {
	from   []string
	not    []string
	reason string
}

var rules = []rule{
	{
		from:   []string{"cmd/pcctl", "internal/pcctl", "internal/control"},
		not:    []string{"internal/capture/...", "internal/cache", "internal/session", "internal/mem", "internal/dump", "internal/daemon", "internal/persist"},
		reason: "pcctl reaches the service through its endpoints only: it runs where nothing is captured, and must not load Npcap",
	},
	{
		from:   []string{"internal/control"},
		not:    []string{"internal/vault", "internal/datadir", "internal/keystore"},
		reason: "files and keys are for the service; pcctl clear alone touches them, where no service runs",
	},
	{
		from:   []string{"internal/capture/...", "internal/pcapio"},
		not:    []string{"internal/cache", "internal/session", "internal/mem", "internal/dump", "internal/control", "internal/config", "internal/daemon"},
		reason: "capture and pcapio know packets, not what becomes of them: so each can be tested and replaced alone",
	},
	{
		from:   []string{"internal/packet", "internal/record", "internal/seal", "internal/mem", "internal/ipc", "internal/guard", "internal/datadir/...", "internal/power", "internal/keystore", "internal/vault", "internal/crash", "internal/filter", "internal/pcapio"},
		not:    []string{"internal/capture/...", "internal/cache", "internal/session", "internal/dump", "internal/control", "internal/config", "internal/daemon", "internal/service"},
		reason: "the bottom layer serves all others and depends on none",
	},
	{
		from:   []string{"internal/capture/...", "internal/cache", "internal/session", "internal/dump", "internal/persist", "internal/control", "internal/config"},
		not:    []string{"internal/daemon", "internal/service"},
		reason: "the daemon puts the parts together; a part that knows it cannot be put elsewhere",
	},
	{
		from:   []string{"eventlog/..."},
		not:    []string{"internal/capture/...", "internal/cache", "internal/dump", "internal/control", "internal/config", "internal/daemon", "internal/service"},
		reason: "the catalogue is words; whatever has something to report uses it",
	},
	{
		from:   []string{"internal/packet"},
		not:    []string{"golang.org/x/...", "github.com/...", "net"},
		reason: "every package speaks these words, so they bring nothing along",
	},
	{
		from:   []string{"internal/record"},
		not:    []string{"internal/mem", "internal/session", "internal/pcapio", "internal/filter", "internal/ipc", "golang.org/x/...", "github.com/klauspost/...", "os/exec", "net"},
		reason: "how packets are kept is the same in memory, in a file, and on the machine that reads it, whatever stands around it",
	},
	{
		from:   []string{"internal/seal"},
		not:    []string{"internal/mem", "internal/ipc", "os/exec", "net/http"},
		reason: "a sealed file is opened on any machine, by pcctl as by the service: it needs the file and a key and nothing else",
	},
	{
		from:   []string{"internal/system32"},
		not:    []string{"golang.org/x/...", "github.com/...", "os", "net", "fmt", "time"},
		reason: "it is initialized before all packages that need os or net, so that none can load a DLL before it restricts where from",
	},
	{
		from:   []string{"cmd/...", "internal/..."},
		not:    []string{"github.com/google/gopacket/..."},
		reason: "gopacket is the oracle of tests; its pcap package loads a DLL in init and can panic there (docs/adr/0001-npcap-binding.md)",
	},
	{
		from:   []string{"internal/capture/npcap", "internal/capture/rawsock", "internal/capture/afpacket", "internal/capture/replay"},
		not:    []string{"internal/capture/adapters", "internal/filter"},
		reason: "a source delivers what it is told to; which one serves an interface is decided above",
	},
	{
		from:   []string{"cmd/...", "internal/...", "eventlog"},
		not:    []string{"github.com/tc-hib/winres/..."},
		reason: "resources are written when the programs are built, not when they run",
	},
	{
		from:   []string{"internal/trace"},
		not:    []string{"internal/capture/...", "internal/cache", "internal/dump", "internal/control", "internal/config", "internal/daemon"},
		reason: "the cache is measured with it, by rules that are not the cache's own",
	},
	{
		from:   []string{"cmd/..."},
		not:    []string{"internal/trace", "internal/retention/...", "golang.org/x/image/..."},
		reason: "measurements and their pictures are no part of the programs",
	},
	{
		from:   []string{"cmd/..."},
		not:    []string{"testing", "internal/datadir/faults", "net/http/pprof", "expvar", "github.com/rogpeppe/go-internal/..."},
		reason: "tests and debugging doors have no place in a service that runs with privileges",
	},
}

// A listed package, as go list -json writes it.
type listed struct {
	ImportPath string
	Imports    []string
}

// imports maps each package of the module, and all that they need, to what
// they import on an operating system. Tests are not looked at.
func imports(t *testing.T, goos string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", "../../cmd/...", "../../internal/...", "../../eventlog/...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v\n%s", goos, err, &stderr)
	}
	graph := map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatalf("go list for %s: %v", goos, err)
		}
		graph[p.ImportPath] = p.Imports
	}
}

func TestImports(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil && runtime.GOOS == "windows" {
		t.Skip("this Windows has no Go; on Linux the rules are checked for both")
	}
	for _, goos := range []string{"linux", "windows"} {
		t.Run(goos, func(t *testing.T) {
			graph := imports(t, goos)
			for _, r := range rules {
				for _, from := range expand(t, graph, r.from) {
					for _, not := range r.not {
						if chain := path(graph, from, not); chain != nil {
							t.Errorf("%s\n\tmust not link %s: %s", strings.Join(chain, "\n\t-> "), not, r.reason)
						}
					}
				}
			}
		})
	}
}

// expand lists the packages that the patterns mean. One that means none would
// be a rule that forbids nothing.
func expand(t *testing.T, graph map[string][]string, patterns []string) []string {
	t.Helper()
	var found []string
	for _, pattern := range patterns {
		n := len(found)
		for name := range graph {
			if strings.HasPrefix(name, module) && matches(pattern, name) {
				found = append(found, name)
			}
		}
		if len(found) == n {
			t.Errorf("a rule speaks of %s, and there is no such package", pattern)
		}
	}
	slices.Sort(found)
	return found
}

func matches(pattern, name string) bool {
	if first, _, _ := strings.Cut(pattern, "/"); first == "cmd" || first == "internal" || first == "eventlog" {
		pattern = module + pattern
	}
	base, all := strings.CutSuffix(pattern, "/...")
	return name == base || all && strings.HasPrefix(name, base+"/")
}

// path finds the shortest way along imports from a package to one that the
// pattern means, other than from itself; nil if there is none.
func path(graph map[string][]string, from, pattern string) []string {
	if matches(pattern, from) {
		return nil
	}
	cameFrom := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if matches(pattern, at) {
			chain := []string{at}
			for at = cameFrom[at]; at != ""; at = cameFrom[at] {
				chain = append(chain, at)
			}
			slices.Reverse(chain)
			return chain
		}
		for _, next := range graph[at] {
			if _, seen := cameFrom[next]; !seen {
				cameFrom[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// The search finds what is there, and the patterns mean what they say.
func TestPath(t *testing.T) {
	graph := map[string][]string{
		module + "cmd/a":        {module + "internal/b"},
		module + "internal/b":   {"github.com/x/y/z", "fmt"},
		"github.com/x/y/z":      nil,
		module + "internal/b/c": nil,
	}
	for _, test := range []struct {
		from, pattern string
		want          int // length of the chain
	}{
		{"cmd/a", "github.com/x/y/...", 3},
		{"cmd/a", "github.com/x/...", 3},
		{"cmd/a", "github.com/x/y", 0},
		{"cmd/a", "internal/b", 2},
		{"cmd/a", "internal/b/...", 2},
		{"cmd/a", "internal/b/c", 0},
		{"cmd/a", "fmt", 3},
		{"internal/b", "cmd/a", 0},
		{"internal/b", "internal/...", 0},
	} {
		if chain := path(graph, module+test.from, test.pattern); len(chain) != test.want {
			t.Errorf("from %s to %s: %q, want %d packages", test.from, test.pattern, chain, test.want)
		}
	}
}
