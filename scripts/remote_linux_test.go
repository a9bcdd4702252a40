package scripts

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// A winRM stands in for the sessions of PowerShell to some hosts: on each that can be
// reached, the function that is sent there is run before a service.
type winRM struct {
	t        *testing.T
	script   map[string]*node
	services map[string]*dumping // by host
	pipes    map[string]error    // why there is none to be reached
	refused  map[string]*errorRecord
	cut      string // the session with that host breaks in the middle
	broken   error  // the command that reads ends with that
	// asked are the hosts of New-PSSession, and left the sessions that are open.
	asked []string
	with  map[string]any
	left  int
}

func (w *winRM) commands() map[string]func(*scope, any, []any, map[string]any) any {
	return map[string]func(*scope, any, []any, map[string]any) any{
		"New-PSSession": func(s *scope, _ any, _ []any, named map[string]any) any {
			w.with = named
			var sessions, wrong []any
			for _, item := range list(named["-computername"]) {
				host := text(item)
				w.asked = append(w.asked, host)
				if e := w.refused[host]; e != nil {
					wrong = append(wrong, e)
					continue
				}
				w.left++
				sessions = append(sessions, &object{hashtable{"computername": host}})
			}
			s.set("$"+text(named["-errorvariable"]), wrong)
			return sessions
		},
		"Invoke-Command": func(s *scope, _ any, _ []any, named map[string]any) any {
			if w.broken != nil {
				panic(w.broken)
			}
			var all, wrong []any
			for _, session := range list(named["-session"]) {
				host := text(session.(*object).properties["computername"])
				there := talking(w.t, w.script, w.services[host])
				if err := w.pipes[host]; err != nil {
					there.dial = func(string) (net.Conn, error) { return nil, err }
				}
				out, err := there.call(text(named["-scriptblock"]), map[string]any{"Query": list(named["-argumentlist"])[0]})
				if err != nil {
					w.t.Fatal(err)
				}
				if host == w.cut {
					out = out[:1]
					wrong = append(wrong, &errorRecord{"[" + host + "] Processing data from remote server " + host + " failed", ""})
				}
				for _, item := range out {
					item.(*object).properties["pscomputername"] = host
				}
				all = append(all, out...)
			}
			s.set("$"+text(named["-errorvariable"]), wrong)
			return all
		},
		"Remove-PSSession": func(_ *scope, _ any, _ []any, named map[string]any) any {
			w.left -= len(list(named["-session"]))
			return nil
		},
		"Read-Host": func(*scope, any, []any, map[string]any) any { return "secret" },
		"Get-Date": func(*scope, any, []any, map[string]any) any {
			return native(func(string, []any) any {
				return time.Date(2018, 11, 12, 13, 37, 0, 0, time.UTC).Format("_060102_1504.")
			})
		},
	}
}

// remote runs ReadRemotePacketCache.ps1 in a directory.
func (w *winRM) remote(tree *node, dir string, given hashtable) (code int64, said []string, err error) {
	in := &interpreter{functions: w.script, commands: w.commands()}
	code, err = in.main(tree, scriptVariables(dir, given, hashtable{"throttlelimit": int64(32), "username": ""}))
	return code, in.said, err
}

// scriptVariables are what a script finds when it is run in a directory with the
// parameters that are given; special are those of one script.
func scriptVariables(dir string, given, special hashtable) hashtable {
	path := native(func(_ string, args []any) any { // GetUnresolvedProviderPathFromPSPath
		if p := text(args[0]); filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(dir, text(args[0]))
	})
	variables := hashtable{
		"psboundparameters": given, "format": "pcap", "outfile": "", "passthru": false,
		"executioncontext": &object{hashtable{"sessionstate": &object{hashtable{"path": path}}}},
	}
	for _, more := range []hashtable{special, given} {
		for name, v := range more {
			variables[name] = v
		}
	}
	return variables
}

// TestRemoteRuns takes ReadRemotePacketCache.ps1 step by step, with sessions that stand
// in for those of PowerShell: whatever becomes of one host, the others are read, no file
// is there that is not complete, and no session is left.
func TestRemoteRuns(t *testing.T) {
	tree := parse(t, readers[1])[0]
	script := functions(tree)
	fine := func() *dumping { return &dumping{pieces: []int{24, 70_000, 5}} }
	timeout := &exception{classes: []string{"System.TimeoutException"}}
	denied := &exception{classes: []string{"System.UnauthorizedAccessException"}}
	for _, test := range []struct {
		name  string
		winRM winRM
		given hashtable
		code  int64
		files []string
		said  []string // patterns, each of a line
	}{
		{"one host", winRM{services: map[string]*dumping{"web1": fine()}}, hashtable{"computername": []any{"web1"}, "username": `CORP\alice`}, 0,
			[]string{"web1_181112_1337.pcap"},
			[]string{`^host: \[\*\] Dumping PacketCache at web1$`, `^host: \[\*\] Copying PCAP dump from web1$`, `^host: \[\*\] Remote PacketCache data saved to web1_181112_1337\.pcap$`}},
		{"a name and a filter", winRM{services: map[string]*dumping{"web1": fine()}},
			hashtable{"computername": []any{"web1"}, "outfile": "dns.pcap", "filter": "port 53", "usessl": true, "port": int64(5999)}, 0, []string{"dns.pcap"}, nil},
		{"twice the same", winRM{services: map[string]*dumping{"web1": fine()}}, hashtable{"computername": []any{"web1", "WEB1"}}, 0, []string{"web1_181112_1337.pcap"}, nil},
		{"several, of which some fail", winRM{
			services: map[string]*dumping{"ok": fine(), "none": fine(), "denied": fine(), "cut": fine(), "bad": {fail: control.BadFilter("unknown word", 3)}, "fails": {pieces: []int{24, 9}, fail: errors.New("stalled")}},
			pipes:    map[string]error{"none": timeout, "denied": denied}, cut: "cut",
			refused: map[string]*errorRecord{
				"away": {"[away] Connecting to remote server away failed", "NetworkPathNotFound,PSSessionOpenFailed"},
				"shut": {"[shut] Connecting to remote server shut failed: Access is denied.", "AccessDenied,PSSessionOpenFailed"}},
		}, hashtable{"computername": []any{"away", "none", "shut", "denied", "cut", "bad", "fails", "ok"}}, 1, []string{"ok_181112_1337.pcap"},
			[]string{
				`^error: away: not reachable over WinRM: .*Enable-PSRemoting`, `^error: shut: not permitted: the logon`,
				`^error: none: PacketCache cannot be reached: the service is not installed$`, `^error: denied: not permitted: access to the pipe is denied`,
				`^error: cut: the dump is incomplete, nothing was kept: .*Processing data from remote server cut`,
				`^error: bad: filter: unknown word`, `^error: fails: the dump is incomplete, nothing was kept: the service closed the connection`,
				`saved to ok_181112_1337\.pcap$`,
			}},
		{"the last one's code", winRM{services: map[string]*dumping{"ok": fine(), "none": fine()}, pipes: map[string]error{"none": timeout}},
			hashtable{"computername": []any{"ok", "none"}}, 3, []string{"ok_181112_1337.pcap"}, nil},
		{"nobody there", winRM{refused: map[string]*errorRecord{"web1": {"[web1] no", "LogonFailure,PSSessionOpenFailed"}}},
			hashtable{"computername": []any{"web1"}}, 4, nil, []string{`^error: web1: not permitted`}},
		{"several and a file", winRM{}, hashtable{"computername": []any{"a", "b"}, "outfile": "one.pcap"}, 2, nil, []string{`^error: -OutFile: several hosts take a directory, and one.pcap is none\.$`}},
		{"two accounts", winRM{}, hashtable{"computername": []any{"a"}, "username": "x", "credential": "y"}, 2, nil, []string{`-UserName and -Credential exclude each other`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			w := &test.winRM
			w.t, w.script = t, script
			code, said, err := w.remote(tree, dir, test.given)
			if err != nil {
				t.Fatal(err)
			}
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, want := range test.said {
				if !slices.ContainsFunc(said, func(line string) bool { return regexp.MustCompile(want).MatchString(line) }) {
					t.Errorf("no %s in\n%s", want, strings.Join(said, "\n"))
				}
			}
			files := namesIn(t, dir)
			if !slices.Equal(files, test.files) || w.left != 0 {
				t.Errorf("files %q, want %q; %d sessions are left", files, test.files, w.left)
			}
			if test.name == "a name and a filter" && (w.with["-usessl"] != true || w.with["-port"] != int64(5999) || w.services["web1"].asked.Filter != "port 53") {
				t.Errorf("sessions with %v, asked %+v", w.with, w.services["web1"].asked)
			}
		})
	}

	// What nobody expected ends it, and cleans up all the same.
	dir := t.TempDir()
	w := &winRM{t: t, script: script, broken: &exception{classes: []string{"X"}, message: "boom"}}
	_, _, err := w.remote(tree, dir, hashtable{"computername": []any{"web1"}, "outfile": "out.pcap"})
	if rest, _ := os.ReadDir(dir); err == nil || len(rest) > 0 || w.left != 0 {
		t.Errorf("%v; %d files and %d sessions are left", err, len(rest), w.left)
	}
}

// TestLocalRuns takes ReadPacketCache.ps1 step by step.
func TestLocalRuns(t *testing.T) {
	tree := parse(t, readers[0])[0]
	for _, test := range []struct {
		name    string
		service dumping
		system  string
		given   hashtable
		code    int64
		files   []string
		said    string
	}{
		{"everything", dumping{pieces: []int{24, 70_000}}, "Windows_NT", hashtable{}, 0, []string{"PacketCache-1772357400.pcap"}, `(?m)^host: \[\*\] PacketCache data saved to .*PacketCache-1772357400\.pcap$`},
		{"chosen", dumping{pieces: []int{24}}, "Windows_NT", hashtable{"outfile": "dns.pcap", "filter": "port 53"}, 0, []string{"dns.pcap"}, "saved to"},
		{"a bad filter", dumping{fail: control.BadFilter("unknown word", 3)}, "Windows_NT", hashtable{"outfile": "x.pcap", "filter": "bad"}, 2, nil, "^host: .*\nerror: HOST7: filter: unknown word"},
		{"broken off", dumping{pieces: []int{24, 9}, fail: errors.New("stalled")}, "Windows_NT", hashtable{}, 1, nil, "the dump is incomplete, nothing was kept"},
		{"a directory", dumping{}, "Windows_NT", hashtable{"outfile": "."}, 2, nil, "is a directory: name the file in it"},
		{"elsewhere", dumping{}, "", hashtable{}, 2, nil, "elsewhere use: pcctl dump"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			in := talking(t, functions(tree), &test.service)
			code, err := in.main(tree, scriptVariables(dir, test.given, hashtable{"env:os": test.system}))
			if err != nil {
				t.Fatal(err)
			}
			files := namesIn(t, dir)
			if said := strings.Join(in.said, "\n"); code != test.code || !slices.Equal(files, test.files) || !regexp.MustCompile(test.said).MatchString(said) {
				t.Errorf("exit code %d, files %q, want %d and %q; it says\n%s", code, files, test.code, test.files, said)
			}
		})
	}
}
