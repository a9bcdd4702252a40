package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

//go:generate go test -run TestManPage . -update

var update = flag.Bool("update", false, "write docs/packetcache.8 anew")

// manPage is what --help says, in the macros of man(7).
func manPage() string {
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	escape := strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace
	app := newApp(nil, nil, nil)
	put(`.\" Made from cmd/packetcache by "make generate"; a test compares.`)
	put(`.TH PACKETCACHE 8 "" PacketCache "System Administration"`)
	put(".SH NAME\npacketcache \\- %s", escape(app.Usage))
	put(".SH SYNOPSIS\n.B packetcache\n%s", escape(strings.TrimPrefix(app.UsageText, "packetcache ")))
	put(".SH DESCRIPTION")
	for i, paragraph := range strings.Split(app.Description, "\n\n") {
		if i > 0 {
			put(".PP")
		}
		heading, lines, example := strings.Cut(paragraph, ":\n  ")
		if !example {
			put("%s", escape(paragraph))
			continue
		}
		put("%s:\n.RS 4\n.nf", escape(heading))
		for line := range strings.SplitSeq(lines, "\n") {
			put("%s", escape(strings.TrimPrefix(line, "  ")))
		}
		put(".fi\n.RE")
	}
	put(".SH OPTIONS")
	for block := range strings.SplitSeq(strings.TrimSpace(optionsHelp()), "\n  --") {
		name, text, _ := strings.Cut("--"+strings.TrimPrefix(block, "--"), "\n")
		put(".TP\n.B %s\n%s", escape(name), escape(strings.Join(strings.Fields(text), " ")))
	}
	put(".SH FILES\n.TP\n/etc/packetcache/packetcache.toml\nsettings\n.TP\n/var/lib/packetcache\nthe sealed cache and its keys")
	put(".TP\n/run/packetcache/PacketCache\nsocket that sends the cache as a pcap\n.TP\n/run/packetcache/control\nsocket that answers pcctl")
	put(".SH SEE ALSO\npcctl(1), pcap\\-filter(7), systemctl(1), journalctl(1)")
	return b.String()
}

// TestManPage holds docs/packetcache.8 to what --help is made of.
func TestManPage(t *testing.T) {
	const path = "../../docs/packetcache.8"
	want := manPage()
	for _, o := range options() {
		if !strings.Contains(want, "\n.B "+strings.ReplaceAll("--"+o.name, "-", `\-`)) {
			t.Errorf("the page lacks --%s", o.name)
		}
	}
	for line := range strings.Lines(want) {
		if strings.HasPrefix(line, "'") || line == "\n" {
			t.Errorf("roff takes this for something else: %q", line)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what --help says, run \"make generate\": %v", path, err)
	}
}
