package pcctl

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

//go:generate go test -run TestReference . -update

var update = flag.Bool("update", false, "write docs/pcctl.md and docs/pcctl.1 anew")

// A page is a command as the reference describes it.
type page struct {
	name        string
	usage       string
	synopsis    string
	description []paragraph
	options     []option
}

// A paragraph is text, or lines that stand as they are.
type paragraph struct {
	verbatim bool
	lines    []string
}

type option struct{ names, meaning string }

// pages are those of all commands, and of those below them.
func pages(commands []*cli.Command, above string) (all []page) {
	for _, c := range commands {
		if c.Hidden {
			continue
		}
		p := page{name: above + c.Name, usage: c.Usage, synopsis: c.UsageText, description: paragraphs(c.Description)}
		for _, f := range c.Flags {
			if o, visible := describe(f); visible {
				p.options = append(p.options, o)
			}
		}
		all = append(append(all, p), pages(c.Subcommands, p.name+" ")...)
	}
	return all
}

// paragraphs takes a description apart: what is indented is verbatim.
func paragraphs(text string) (all []paragraph) {
	for _, line := range strings.Split(text, "\n") {
		verbatim := strings.HasPrefix(line, "  ")
		switch n := len(all); {
		case line == "":
			all = append(all, paragraph{})
		case n == 0 || len(all[n-1].lines) > 0 && all[n-1].verbatim != verbatim:
			all = append(all, paragraph{verbatim, []string{line}})
		default:
			all[n-1].verbatim = verbatim
			all[n-1].lines = append(all[n-1].lines, line)
		}
	}
	return all
}

var placeholder = regexp.MustCompile("`([^`]*)`")

func describe(f cli.Flag) (option, bool) {
	visible, ok := f.(cli.VisibleFlag)
	doc, documented := f.(cli.DocGenerationFlag)
	if !ok || !visible.IsVisible() || !documented {
		return option{}, false
	}
	value := ""
	if m := placeholder.FindStringSubmatch(doc.GetUsage()); m != nil && doc.TakesValue() {
		value = " " + m[1]
	}
	var names []string
	for _, name := range f.Names() {
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		names = append(names, dashes+name+value)
	}
	meaning := placeholder.ReplaceAllString(doc.GetUsage(), "$1")
	if text := doc.GetDefaultText(); doc.TakesValue() && text != "" {
		meaning += " (default: " + text + ")"
	}
	return option{strings.Join(names, ", "), meaning}, true
}

const preamble = `pcctl is how administrators and responders use the PacketCache service of a machine:
see what it does, read the cache, change settings, and register the service. This
page says what "pcctl COMMAND --help" says on Linux; on Windows the words for places
and rights are others.`

const exitCodes = `0 done, 1 failed, 2 wrong usage, 3 service not reachable, 4 not permitted.`

func markdown(all []page) string {
	escape := strings.NewReplacer("<", "&lt;", "*", `\*`, "|", `\|`).Replace
	var b strings.Builder
	b.WriteString("<!-- Made from internal/pcctl by \"make generate\"; a test compares. -->\n# pcctl\n\n" + preamble + "\n\nExit codes: " + exitCodes + "\n\n")
	b.WriteString("| command | |\n| --- | --- |\n")
	for _, p := range all {
		fmt.Fprintf(&b, "| [`%s`](#pcctl-%s) | %s |\n", p.name, strings.ReplaceAll(p.name, " ", "-"), escape(p.usage))
	}
	for _, p := range all {
		fmt.Fprintf(&b, "\n## pcctl %s\n\n%s.\n\n```\n%s\n```\n", p.name, capital(escape(p.usage)), p.synopsis)
		for _, par := range p.description {
			if par.verbatim {
				fmt.Fprintf(&b, "\n```sh\n%s\n```\n", dedented(par.lines))
			} else {
				fmt.Fprintf(&b, "\n%s\n", escape(strings.Join(par.lines, "\n")))
			}
		}
		if len(p.options) > 0 {
			b.WriteString("\n| option | |\n| --- | --- |\n")
			for _, o := range p.options {
				fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(o.names, "|", `\|`), escape(o.meaning))
			}
		}
	}
	return b.String()
}

// manPage is in the macros of man(7).
func manPage(all []page) string {
	escape := func(s string) string {
		s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
		if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
			s = `\&` + s
		}
		return s
	}
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	verbatim := func(lines string) {
		put(".nf")
		for _, line := range strings.Split(lines, "\n") {
			put("%s", escape(line))
		}
		put(".fi")
	}
	put(`.\" Made from internal/pcctl by "make generate"; a test compares.`)
	put(".TH PCCTL 1 \"\" PacketCache \"User Commands\"")
	put(".SH NAME\npcctl \\- see and dump what the PacketCache service on this machine remembers")
	put(".SH SYNOPSIS\n.B pcctl\n.I COMMAND\n[options]")
	put(".SH DESCRIPTION")
	for _, line := range strings.Split(preamble, "\n") {
		put("%s", escape(line))
	}
	put(".SH COMMANDS")
	for _, p := range all {
		put(".SS pcctl %s\n%s.\n.PP", escape(p.name), escape(capital(p.usage)))
		verbatim(p.synopsis)
		for _, par := range p.description {
			put(".PP")
			if par.verbatim {
				put(".RS 4")
				verbatim(dedented(par.lines))
				put(".RE")
				continue
			}
			for _, line := range par.lines {
				put("%s", escape(line))
			}
		}
		for _, o := range p.options {
			put(".TP\n.B %s\n%s", escape(o.names), escape(o.meaning))
		}
	}
	put(".SH EXIT STATUS\n%s", exitCodes)
	put(".SH FILES\n.TP\n/run/packetcache/PacketCache\nsocket that sends the cache as a pcap\n.TP\n/run/packetcache/control\nsocket that answers pcctl\n.TP\n/etc/packetcache/packetcache.toml\nsettings")
	put(".SH SEE ALSO\ntcpdump(8), wireshark(1), pcap\\-filter(7), journalctl(1)")
	return b.String()
}

func dedented(lines []string) string {
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(all, "\n")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// TestReference holds docs/pcctl.md and the man page to what --help is made of.
func TestReference(t *testing.T) {
	all := pages(newApp(thisMachine(), io.Discard, io.Discard).Commands, "")
	if len(all) < 20 {
		t.Fatalf("only %d commands", len(all))
	}
	for _, p := range all {
		if p.usage == "" || p.synopsis == "" || len(p.description) == 0 {
			t.Errorf("pcctl %s: usage %q, synopsis %q, %d paragraphs", p.name, p.usage, p.synopsis, len(p.description))
		}
		if last := p.description[len(p.description)-1]; p.name != "config" && !last.verbatim {
			t.Errorf("pcctl %s ends without an example", p.name)
		}
		for _, o := range p.options {
			if strings.TrimSpace(o.meaning) == "" {
				t.Errorf("pcctl %s: %s is not explained", p.name, o.names)
			}
		}
	}
	for path, want := range map[string]string{"../../docs/pcctl.md": markdown(all), "../../docs/pcctl.1": manPage(all)} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is not what the commands say, run \"make generate\": %v", path, err)
		}
	}
}
