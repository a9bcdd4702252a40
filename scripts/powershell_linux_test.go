// Package scripts holds what is run beside the programs; its tests read the
// PowerShell scripts with a grammar of that language, since no PowerShell runs here.
package scripts

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var readers = []string{"ReadPacketCache.ps1", "ReadRemotePacketCache.ps1"}

// A node of a syntax tree, as .ci/powershell/parse.mjs writes it.
type node struct {
	Type        string
	Row, Column int
	Bad         bool
	Text        string
	Kids        []*node
}

// each calls do for n and all that is below it.
func (n *node) each(do func(*node)) {
	do(n)
	for _, kid := range n.Kids {
		kid.each(do)
	}
}

// find returns the nodes of a type, in their order.
func (n *node) find(kind string) (found []*node) {
	n.each(func(n *node) {
		if n.Type == kind {
			found = append(found, n)
		}
	})
	return found
}

// source is the text of the leaves.
func (n *node) source() string {
	var b strings.Builder
	n.each(func(n *node) {
		if len(n.Kids) == 0 {
			b.WriteString(n.Text)
		}
	})
	return b.String()
}

// parse reads scripts with the grammar.
func parse(t *testing.T, scripts ...string) []*node {
	t.Helper()
	modules, err := filepath.Abs("../build/tools/powershell")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "node_modules")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the grammar is needed in CI: %v", err)
		}
		t.Skip(`the grammar is not there, "make test-deps" installs it`)
	}
	args := append([]string{"--liftoff-only", "../.ci/powershell/parse.mjs", modules}, scripts...)
	cmd := exec.Command("node", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &stderr)
	}
	var trees []*node
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		tree := new(node)
		if err := decoder.Decode(tree); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
	}
	if len(trees) != len(scripts) {
		t.Fatalf("%d trees of %d scripts", len(trees), len(scripts))
	}
	return trees
}

// check lists what is wrong with a script that is to run in Windows PowerShell 5.1
// and in PowerShell 7.
func check(tree *node, text string) (problems []string) {
	wrong := func(n *node, what string) {
		problems = append(problems, strings.TrimSpace(what+" "+strings.SplitN(n.source(), "\n", 2)[0]))
	}
	tree.each(func(n *node) {
		if n.Bad {
			wrong(n, "does not fit the grammar:")
		}
	})
	// The grammar takes no ternary and no ??, but this.
	for _, n := range tree.find("pipeline_chain_tail") {
		wrong(n, "PowerShell 5.1 has no && and ||:")
	}
	// Without a byte order mark 5.1 takes a script for the machine's code page.
	for i, line := range strings.Split(text, "\n") {
		if strings.IndexFunc(line, func(r rune) bool { return r > 126 || r < ' ' && r != '\t' }) >= 0 {
			problems = append(problems, "more than ASCII: "+strings.Split(text, "\n")[i])
		}
	}
	if !strings.HasPrefix(text, "#Requires -Version 5.1\n") {
		problems = append(problems, "no #Requires")
	}
	own := functions(tree)
	for name := range own {
		verb, _, _ := strings.Cut(name, "-")
		if !slices.Contains(approvedVerbs, verb) {
			problems = append(problems, "not an approved verb: "+name)
		}
	}
	for _, n := range tree.find("command_name") {
		name := n.source()
		if own[name] == nil && !slices.Contains(commandsOf51, name) {
			wrong(n, "not a command of 5.1, or not one that these scripts need:")
		}
	}
	return append(problems, checkHelp(tree, text)...)
}

// functions are those that a script defines, by name.
func functions(tree *node) map[string]*node {
	found := map[string]*node{}
	for _, f := range tree.find("function_statement") {
		found[f.find("function_name")[0].source()] = f
	}
	return found
}

var (
	helpSection = regexp.MustCompile(`(?m)^\.(SYNOPSIS|DESCRIPTION|EXAMPLE|PARAMETER (\w+))$`)
	// approvedVerbs and commandsOf51 are those of Get-Verb and Get-Command of
	// Windows PowerShell 5.1 that the scripts use.
	approvedVerbs = []string{"Complete", "Get", "New", "Read", "Remove", "Show", "Test", "Write"}
	commandsOf51  = []string{
		"ConvertFrom-Json", "ForEach-Object", "Get-Date", "Get-FileHash", "Get-Item", "Get-Service", "Invoke-Command", "Join-Path",
		"Measure-Object", "Move-Item", "New-Object", "New-PSSession", "Read-Host", "Remove-Item", "Remove-PSSession", "Select-Object",
		"Set-StrictMode", "Split-Path", "Test-Path", "Where-Object", "Write-Error", "Write-Host", "Write-Progress", "Write-Verbose",
		"Write-Warning",
	}
)

// checkHelp holds the help of a script against its parameters.
func checkHelp(tree *node, text string) (problems []string) {
	help, _, _ := strings.Cut(text, "#>")
	told := map[string]bool{}
	for _, m := range helpSection.FindAllStringSubmatch(help, -1) {
		told[m[1]] = true
		if m[2] != "" {
			told[m[2]] = true
		}
	}
	for _, section := range []string{"SYNOPSIS", "DESCRIPTION", "EXAMPLE"} {
		if !told[section] {
			problems = append(problems, "no help section "+section)
		}
		delete(told, section)
	}
	for _, name := range parameters(tree) {
		if !told[name] {
			problems = append(problems, "no help for parameter "+name)
		}
		delete(told, name)
		delete(told, "PARAMETER "+name)
	}
	for name := range told {
		problems = append(problems, "help for what is no parameter: "+name)
	}
	return problems
}

// parameters are those of the script itself, whose block comes first.
func parameters(tree *node) (names []string) {
	for _, p := range tree.find("param_block")[0].find("script_parameter") {
		for _, kid := range p.Kids {
			if kid.Type == "variable" {
				names = append(names, strings.TrimPrefix(kid.source(), "$"))
			}
		}
	}
	return names
}

func TestScripts(t *testing.T) {
	for i, tree := range parse(t, readers...) {
		for _, problem := range check(tree, read(t, readers[i])) {
			t.Errorf("%s: %s", readers[i], problem)
		}
	}
}

// TestCompletion reads what pcctl prints for PowerShell.
func TestCompletion(t *testing.T) {
	script, err := exec.Command("go", "run", "../cmd/pcctl", "completion", "powershell").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "completion.ps1")
	if err := os.WriteFile(path, script, 0o600); err != nil {
		t.Fatal(err)
	}
	parse(t, path)[0].each(func(n *node) {
		if n.Bad {
			t.Errorf("line %d does not fit the grammar: %s", n.Row, n.source())
		}
	})
}

// TestCheckFinds shows the checks what they are there for.
func TestCheckFinds(t *testing.T) {
	good := "#Requires -Version 5.1\n<#\n.SYNOPSIS\nx\n.DESCRIPTION\nx\n.PARAMETER Path\nx\n.EXAMPLE\nx\n#>\nparam([string]$Path)\nWrite-Host 1\n"
	tests := []struct{ name, text, want string }{
		{"nothing", good, ""},
		{"an open brace", good + "if ($Path) { Write-Host 1\n", "does not fit the grammar"},
		{"a string without end", good + "Write-Host \"x\n", "does not fit the grammar"},
		{"ternary", good + "$x = $Path ? 1 : 2\n", "does not fit the grammar"},
		{"null coalescing", good + "$x = $Path ?? 2\n", "does not fit the grammar"},
		{"chain", good + "Write-Host 1 && Write-Host 2\n", "has no &&"},
		{"not ASCII", good + "Write-Host 'ü'\n", "more than ASCII"},
		{"verb", good + "function Fetch-It { }\n", "not an approved verb: Fetch-It"},
		{"command", good + "Test-Json $Path\n", "not a command of 5.1"},
		{"parameter without help", strings.Replace(good, "$Path)", "$Path, $More)", 1), "no help for parameter More"},
		{"help without parameter", strings.Replace(good, "$Path)", "$More)", 1), "help for what is no parameter: Path"},
		{"no example", strings.Replace(good, ".EXAMPLE", "", 1), "no help section EXAMPLE"},
		{"no version", strings.TrimPrefix(good, "#Requires -Version 5.1\n"), "no #Requires"},
	}
	dir := t.TempDir()
	var paths []string
	for _, test := range tests {
		path := filepath.Join(dir, test.name)
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for i, tree := range parse(t, paths...) {
		problems := strings.Join(check(tree, tests[i].text), "\n")
		if tests[i].want == "" && problems != "" || !strings.Contains(problems, tests[i].want) {
			t.Errorf("%s: %q, want %q", tests[i].name, problems, tests[i].want)
		}
	}
}

// TestSharedPart: each script is copied around alone, so both have what reads a
// dump, and it is the same.
func TestSharedPart(t *testing.T) {
	var parts []string
	for _, name := range readers {
		_, part, found := strings.Cut(read(t, name), "# --- shared by both scripts: begin ---\n")
		part, _, ended := strings.Cut(part, "# --- shared by both scripts: end ---\n")
		if !found || !ended {
			t.Fatalf("%s: no shared part", name)
		}
		parts = append(parts, part)
	}
	if parts[0] != parts[1] {
		t.Error("the shared parts differ")
	}
}

// TestSentFunction: what runs on the remote host has nothing else of the script.
func TestSentFunction(t *testing.T) {
	for i, tree := range parse(t, readers...) {
		own := functions(tree)
		sent := own["Read-PacketCacheDump"]
		if sent == nil {
			t.Fatalf("%s: no Read-PacketCacheDump", readers[i])
		}
		for _, n := range sent.find("command_name") {
			if own[n.source()] != nil {
				t.Errorf("%s: Read-PacketCacheDump calls %s, which is not sent along", readers[i], n.source())
			}
		}
		assigned := map[string]bool{"$_": true, "$true": true, "$null": true, "$Matches": true, "$ErrorActionPreference": true, "$Query": true, "$Problem": true}
		for _, a := range sent.find("left_assignment_expression") {
			for _, v := range a.find("variable") {
				assigned[v.source()] = true
			}
		}
		for _, v := range sent.find("variable") {
			if !assigned[v.source()] {
				t.Errorf("%s: Read-PacketCacheDump uses %s, which is not sent along", readers[i], v.source())
			}
		}
	}
}

// TestProtocol holds what the scripts say to the service, and listen for, against
// the description of the endpoint.
func TestProtocol(t *testing.T) {
	known := read(t, filepath.Join("..", "docs", "control.md"))
	text := read(t, readers[0])
	words := regexp.MustCompile(`X-PacketCache-[A-Za-z-]+[A-Za-z]`).FindAllString(text, -1)
	list := regexp.MustCompile(`foreach \(\$name in (('\w+'(, )?)+)\)`).FindStringSubmatch(text)
	if len(words) != 2 || list == nil {
		t.Fatalf("the script uses the headers %q and the parameters %q", words, list)
	}
	for _, name := range strings.Split(list[1], ", ") {
		words = append(words, "`"+strings.ToLower(strings.Trim(name, "'"))+"`")
	}
	for _, word := range append(words, `\\.\pipe\PacketCache-control`, "GET /v1/dump", "`sha256`") {
		if !strings.Contains(known, word) {
			t.Errorf("docs/control.md knows no %s", word)
		}
	}
}

// TestWordsUsersKnow holds the remote script to the calls and messages of the one
// that PacketCache's users have.
func TestWordsUsersKnow(t *testing.T) {
	text := read(t, "ReadRemotePacketCache.ps1")
	for _, want := range []string{
		`Write-Host "[*] Dumping PacketCache at $name"`,
		`Write-Host "[*] Copying PCAP dump from $name"`,
		`Write-Host "[*] Remote PacketCache data saved to $(Split-Path -Leaf $file.Path)"`,
		`'_yyMMdd_HHmm.'`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if local := read(t, "ReadPacketCache.ps1"); !strings.Contains(local, `"PacketCache-$seconds.$Format"`) {
		t.Error("ReadPacketCache.ps1 names its file otherwise")
	}
	first := parameters(parse(t, "ReadRemotePacketCache.ps1")[0])[:2]
	if !slices.Equal(first, []string{"ComputerName", "UserName"}) {
		t.Errorf("the first parameters are %v", first)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
