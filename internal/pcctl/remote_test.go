package pcctl

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// everything is a request in which all is chosen that goes to another machine.
var everything = control.DumpRequest{
	Format: control.PCAPNG, Since: time.Date(2026, 3, 1, 8, 0, 0, 5, time.UTC), Until: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
	Filter: "port 53 and host it's", Limit: 12345, SHA256: true,
}

// TestRemoteWords: the pcctl there understands what this one writes.
func TestRemoteWords(t *testing.T) {
	last := everything
	last.Since, last.Last = time.Time{}, 36*time.Hour+time.Second
	for name, want := range map[string]control.DumpRequest{"everything": everything, "last": last, "nothing": {Format: control.PCAP, SHA256: true}} {
		t.Run(name, func(t *testing.T) { // and with an endpoint of its own
			var got control.DumpRequest
			fake := &capturing{got: &got}
			dir := startService(t, fake)
			args := append([]string{"pcctl"}, remoteWords(want)...)
			var stdout, stderr strings.Builder
			if code := run(t.Context(), append(args, "--endpoint-dir", dir), &stdout, &stderr); code != exitOK {
				t.Fatalf("%v: exit code %d\n%s", args, code, &stderr)
			}
			if !got.Since.Equal(want.Since) || !got.Until.Equal(want.Until) {
				t.Errorf("from %v to %v, want %v to %v", got.Since, got.Until, want.Since, want.Until)
			}
			got.Since, got.Until = want.Since, want.Until
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestShellWord(t *testing.T) {
	for given, want := range map[string]string{"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)`y`\"": "'$(x)`y`\"'"} {
		if got := shellWord(given); got != want {
			t.Errorf("%q: %s", given, got)
		}
	}
}

// TestScriptArguments: the script has the parameters that it is called with.
func TestScriptArguments(t *testing.T) {
	script, err := os.ReadFile("../../scripts/ReadRemotePacketCache.ps1")
	if err != nil {
		t.Fatal(err)
	}
	request := everything
	request.Last = 90 * time.Second
	args := (&remote{host: "web01", user: `CORP\alice`}).scriptArguments(request, `C:\case 42\out.pcapng`)
	want := []string{
		"web01", `CORP\alice`, "-Format", "pcapng", "-Since", "2026-03-01T08:00:00Z", "-Until", "2026-03-01T09:00:00Z",
		"-Last", "90s", "-Filter", "port 53 and host it's", "-Limit", "12345", "-OutFile", `C:\case 42\out.pcapng`,
	}
	if !reflect.DeepEqual(args, want) {
		t.Errorf("%q, want %q", args, want)
	}
	params := string(script)[strings.Index(string(script), "\nparam("):]
	for _, arg := range args {
		if name, ok := strings.CutPrefix(arg, "-"); ok && !regexp.MustCompile(`(?m)^    \[\w+(\[\])?\]\$`+name+`\b`).MatchString(params) {
			t.Errorf("the script has no parameter %s", name)
		}
	}
	if args := (&remote{host: "web01"}).scriptArguments(control.DumpRequest{Format: control.PCAP}, ""); !reflect.DeepEqual(args, []string{"web01", "-Format", "pcap"}) {
		t.Errorf("%q", args)
	}
}
