//go:build unix

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

var update = flag.Bool("update", false, "rewrite testdata/tables.txt")

// sample is a package of files that never change.
func sample(t *testing.T) *pkg {
	t.Helper()
	for _, name := range []string{"wixl", "msibuild", "msiinfo"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err, ": scripts/test-deps.sh installs it")
		}
	}
	dir := t.TempDir()
	p := &pkg{Arch: "amd64", Version: "1.2.3-4-gabcdef", Programs: filepath.Join(dir, "bin"), Source: dir, Time: time.Unix(1_800_000_000, 0)}
	for _, c := range append(p.contents(), content{name: "icon", from: filepath.Join(dir, "installer", "wix", "packetcache.ico")}) {
		if err := os.MkdirAll(filepath.Dir(c.from), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.from, []byte("the file "+c.name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// built builds the package and returns its path.
func built(t *testing.T, p *pkg) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "packetcache.msi")
	if err := p.build(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func msiinfo(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("msiinfo", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("msiinfo %q: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// A table is one of the package, as msiinfo exports it.
type table struct {
	columns, types []string
	rows           []map[string]string
}

func export(t *testing.T, msi, name string) table {
	t.Helper()
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(msiinfo(t, "export", msi, name), "\r\n", "\n"), "\n"), "\n")
	if len(lines) < 3 {
		t.Fatalf("table %s: %q", name, lines)
	}
	tab := table{columns: strings.Split(lines[0], "\t"), types: strings.Split(lines[1], "\t")}
	for _, line := range lines[3:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[tab.columns[i]] = cell
		}
		tab.rows = append(tab.rows, row)
	}
	return tab
}

func tables(t *testing.T, msi string) []string {
	t.Helper()
	names := strings.Fields(msiinfo(t, "tables", msi))
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "_") })
	slices.Sort(names)
	return names
}

// The tables of the package are those that testdata/tables.txt lists.
func TestTables(t *testing.T) {
	p := sample(t)
	msi := built(t, p)
	var b strings.Builder
	for _, name := range tables(t, msi) {
		tab := export(t, msi, name)
		if len(tab.rows) == 0 {
			continue
		}
		var lines []string
		for _, row := range tab.rows {
			var line string
			for i, column := range tab.columns {
				cell := row[column]
				if cell == "" {
					continue
				}
				// A width of 0 is none, and numbers have theirs in bytes.
				if width, err := strconv.Atoi(tab.types[i][1:]); err == nil && width > 4 && len(utf16.Encode([]rune(cell))) > width {
					t.Errorf("%s.%s takes %d characters, this has more: %s", name, column, width, cell)
				}
				line += " " + column + "=" + cell
			}
			if strings.HasSuffix(name, "Sequence") { // in the order in which it happens
				line = fmt.Sprintf(" %4s%s", row["Sequence"], strings.TrimSuffix(line, " Sequence="+row["Sequence"]))
			}
			lines = append(lines, "   "+line+"\n")
		}
		slices.Sort(lines)
		b.WriteString(name + "\n" + strings.Join(lines, "") + "\n")
	}
	b.WriteString("Summary information\n")
	for line := range strings.Lines(msiinfo(t, "suminfo", msi)) {
		if !strings.HasPrefix(line, "Application:") { // the version of msitools
			b.WriteString("    " + line)
		}
	}
	// These follow from the files.
	got := regexp.MustCompile(`(ProductCode Value=|UUID\): )\S+`).ReplaceAllString(b.String(), "$1...")
	const golden = "testdata/tables.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the tables are not those of %s (\"go test ./installer/wix -update\" writes them anew):\n%s", golden, diff(string(want), got))
	}
}

// diff lists the lines that only one of two texts has.
func diff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var lines []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return strings.Join(lines, "\n")
}

// What the source has for WiX alone is in the package too, by wixl.sql.
func TestGapsAreFilled(t *testing.T) {
	msi := built(t, sample(t))
	secure := []string{"WIX_DOWNGRADE_DETECTED", "WIX_UPGRADE_DETECTED"}
	conditions := map[string]string{}
	var upgrade, path bool
	var component string
	decoder := xml.NewDecoder(bytes.NewReader(wxs))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attributes := map[string]string{}
		for _, a := range element.Attr {
			attributes[a.Name.Local] = a.Value
		}
		switch element.Name.Local {
		case "Component":
			component = attributes["Id"]
		case "Feature":
			component = ""
		case "Condition":
			var text string
			if err := decoder.DecodeElement(&text, &element); err != nil {
				t.Fatal(err)
			}
			if component != "" {
				conditions[component] = text
			}
		case "Property":
			if attributes["Secure"] == "yes" {
				secure = append(secure, attributes["Id"])
			}
		case "MajorUpgrade":
			upgrade = upgrade || attributes["AllowSameVersionUpgrades"] == "yes" && attributes["Schedule"] == "afterInstallInitialize"
		case "Environment":
			path = attributes["Name"] == "PATH" && attributes["Part"] == "last" && attributes["System"] == "yes" &&
				attributes["Action"] == "set" && attributes["Permanent"] == "no" && attributes["Value"] == "[ProgramFolder]"
		}
	}
	for _, row := range export(t, msi, "Component").rows {
		if row["Condition"] != conditions[row["Component"]] {
			t.Errorf("the condition of component %s is %q, want %q", row["Component"], row["Condition"], conditions[row["Component"]])
		}
	}
	slices.Sort(secure)
	for _, row := range export(t, msi, "Property").rows {
		if row["Property"] == "SecureCustomProperties" && row["Value"] != strings.Join(secure, ";") {
			t.Errorf("secure properties are %s, want %q", row["Value"], secure)
		}
	}
	if !upgrade || !path {
		t.Errorf("packetcache.wxs and wixl.sql differ: MajorUpgrade as in wixl.sql %v, Environment %v", upgrade, path)
	}
}

// Another build of the same is the same; another architecture, version or file makes
// another product.
func TestReproducible(t *testing.T) {
	p := sample(t)
	read := func() (text []byte, product string) {
		msi := built(t, p)
		text, err := os.ReadFile(msi)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range export(t, msi, "Property").rows {
			if row["Property"] == "ProductCode" {
				product = row["Value"]
			}
		}
		return text, product
	}
	first, product := read()
	if again, _ := read(); !bytes.Equal(first, again) {
		t.Error("two builds differ")
	}
	products := []string{product}
	differs := func(what string) {
		t.Helper()
		if _, product := read(); slices.Contains(products, product) {
			t.Errorf("%s has the product code of another", what)
		} else {
			products = append(products, product)
		}
	}
	p.Arch = "arm64"
	differs("arm64")
	p.Version = "1.2.3"
	differs("another version")
	if err := os.WriteFile(p.contents()[0].from, []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	differs("another program")
}

// A file that is missing is told, and so is whatever a program of msitools says.
func TestBuildFails(t *testing.T) {
	p := sample(t)
	if err := os.Remove(p.contents()[1].from); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "x.msi")
	if err := p.build(t.Context(), to); err == nil || !strings.Contains(err.Error(), "pcctl.exe") {
		t.Errorf("without pcctl.exe: %v", err)
	}
	if err := silently(t.Context(), ".", "sh", "-c", "echo word >&2"); err == nil || !strings.Contains(err.Error(), "word") {
		t.Errorf("a word: %v", err)
	}
	if err := silently(t.Context(), ".", "no-such-program"); err == nil || !strings.Contains(err.Error(), "apt install wixl") {
		t.Errorf("no such program: %v", err)
	}
	p.Version = "next"
	if _, err := p.variables(nil); err == nil {
		t.Error("a version without numbers")
	}
	p.Arch = "386"
	if _, err := p.variables(nil); err == nil {
		t.Error("an architecture that there is no build of")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(to), "*")); err != nil || len(left) > 0 {
		t.Errorf("left are %q, %v", left, err)
	}
}

// wixl says what it does not know, and goes on: we do not.
func TestUnknownAttribute(t *testing.T) {
	p, dir := sample(t), t.TempDir()
	digest, err := p.stage(dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.variables(digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.wixl(t.Context(), dir, "packetcache.msi"); err != nil {
		t.Error(err)
	}
	text := bytes.Replace(wxs, []byte("<Feature "), []byte(`<Feature Nonsense="1" `), 1)
	if err := os.WriteFile(filepath.Join(dir, source), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := v.wixl(t.Context(), dir, "packetcache.msi"); err == nil || !strings.Contains(err.Error(), "Nonsense") {
		t.Errorf("an attribute that wixl does not know: %v", err)
	}
}

// docs/deployment.md tells of every property that can be given, and of the codes.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	msi := built(t, sample(t))
	for _, row := range export(t, msi, "Property").rows {
		switch row["Property"] {
		case "SecureCustomProperties":
			for name := range strings.SplitSeq(row["Value"], ";") {
				found := slices.Contains([]string{"WINDOWSMAJOR", "SERVICEPATH", "EVENTFILE"}, name) || strings.HasPrefix(name, "WIX_")
				if !found && !bytes.Contains(page, []byte("| `"+name+"` |")) {
					t.Errorf("docs/deployment.md does not tell of the property %s", name)
				}
			}
		case "UpgradeCode":
			if !bytes.Contains(page, []byte(row["Value"])) {
				t.Errorf("docs/deployment.md does not tell the upgrade code %s", row["Value"])
			}
		}
	}
}
