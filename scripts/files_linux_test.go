package scripts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// An errorRecord is an error as a command of PowerShell gives it.
type errorRecord struct{ text, id string }

// files are the commands for files, and those that say something.
func (in *interpreter) files(name string, args []any, named map[string]any) (v any, known bool) {
	path := text(named["-literalpath"])
	failing := func(err error) {
		if err != nil {
			panic(&exception{classes: []string{"System.IO.IOException"}, message: err.Error()})
		}
	}
	switch name {
	case "Test-Path":
		info, err := os.Stat(path)
		return err == nil && (named["-pathtype"] != "Container" || info.IsDir()), true
	case "Split-Path":
		return filepath.Base(text(args[0])), true
	case "Write-Progress":
		return nil, true
	case "Remove-Item":
		failing(os.Remove(path))
		return nil, true
	case "Move-Item":
		if named["-force"] != true {
			panic(errors.New("Move-Item without -Force"))
		}
		failing(os.Rename(path, text(named["-destination"])))
		return nil, true
	case "Join-Path":
		return filepath.Join(text(args[0]), text(args[1])), true
	case "Get-FileHash":
		content, err := os.ReadFile(path)
		failing(err)
		sum := sha256.Sum256(content)
		return &object{hashtable{"hash": strings.ToUpper(hex.EncodeToString(sum[:]))}}, true
	case "Write-Error", "Write-Warning", "Write-Verbose", "Write-Host":
		in.said = append(in.said, strings.ToLower(strings.TrimPrefix(name, "Write-"))+": "+text(args[0]))
		return nil, true
	}
	return nil, false
}

// staticFiles are methods of classes of .NET that have to do with files.
func staticFiles(name string, args []any) (v any, known bool) {
	switch name {
	case "System.IO.File::Open":
		if fmt.Sprint(args[1:]) != "[CreateNew Write Read]" {
			panic(fmt.Errorf("File.Open with %v", args[1:]))
		}
		f, err := os.OpenFile(text(args[0]), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			panic(&exception{classes: []string{"System.IO.IOException"}, message: err.Error()})
		}
		return native(func(method string, args []any) any {
			switch method {
			case "write":
				if _, err := f.Write(args[0].([]byte)[args[1].(int64):args[2].(int64)]); err != nil {
					panic(&exception{classes: []string{"System.IO.IOException"}, message: err.Error()})
				}
			case "dispose":
				_ = f.Close()
			}
			return nil
		}), true
	case "System.IO.Path::GetDirectoryName":
		return filepath.Dir(text(args[0])), true
	case "System.IO.Path::GetExtension":
		return filepath.Ext(text(args[0])), true
	case "System.IO.Path::GetFileNameWithoutExtension":
		return strings.TrimSuffix(filepath.Base(text(args[0])), filepath.Ext(text(args[0]))), true
	case "regex::Escape":
		return regexp.QuoteMeta(text(args[0])), true
	}
	return nil, false
}

// TestDumpFileRuns takes the functions for the file step by step: it gets its name when
// all of it has come, and otherwise nothing is left of it.
func TestDumpFileRuns(t *testing.T) {
	script := functions(parse(t, readers[1])[0])
	content := []byte("a capture file")
	sum := sha256.Sum256(content)
	data := func(b []byte) *object { return &object{hashtable{"data": b, "estimate": int64(0)}} }
	result := func(bytes int, hash string) *object {
		return &object{hashtable{"result": fmt.Sprintf(`{"packets": 1, "bytes": %d, "sha256": "%s"}`, bytes, hash)}}
	}
	whole := []*object{data(content[:5]), data(content[5:]), result(len(content), hex.EncodeToString(sum[:]))}
	for _, test := range []struct {
		name    string
		pieces  []*object
		before  []string // files that are there
		replace bool
		failure string
		left    []string
	}{
		{"whole", whole, nil, true, "", []string{"out.pcap"}},
		{"in the place of another", whole, []string{"out.pcap"}, true, "", []string{"out.pcap"}},
		{"beside others", whole, []string{"out.pcap", "out-2.pcap"}, false, "", []string{"out-2.pcap", "out-3.pcap", "out.pcap"}},
		{"nothing came", nil, nil, true, "Incomplete", nil},
		{"no result", whole[:2], nil, true, "Incomplete", nil},
		{"less than told", []*object{whole[0], whole[2]}, nil, true, "Incomplete", nil},
		{"other bytes", []*object{data([]byte("A CAPTURE FILE")), whole[2]}, []string{"out.pcap"}, true, "Incomplete", []string{"out.pcap"}},
		{"refused", []*object{{hashtable{"failure": "NoRights", "message": "access is denied"}}}, nil, true, "NoRights", nil},
		{"broken off", []*object{whole[0], {hashtable{"failure": "Incomplete", "message": "closed"}}}, nil, true, "Incomplete", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := &interpreter{functions: script}
			dir := t.TempDir()
			for _, name := range test.before {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("before"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := func(name string, args map[string]any) []any {
				t.Helper()
				out, err := in.call(name, args)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				return out
			}
			file := run("New-DumpFile", map[string]any{"Path": filepath.Join(dir, "out.pcap"), "Replace": test.replace})[0].(*object)
			for _, piece := range test.pieces {
				run("Write-DumpFile", map[string]any{"File": file, "Piece": piece})
			}
			run("Complete-DumpFile", map[string]any{"File": file})
			run("Remove-DumpFile", map[string]any{"File": file})
			if got := text(file.properties["failure"]); got != test.failure {
				t.Errorf("failure %q (%v), want %q", got, file.properties["message"], test.failure)
			}
			left := namesIn(t, dir)
			if !slices.Equal(left, test.left) {
				t.Errorf("left %q, want %q", left, test.left)
			}
			path := text(file.properties["path"])
			if got, err := os.ReadFile(path); test.failure == "" && (err != nil || string(got) != string(content)) {
				t.Errorf("%s has %q, %v", path, got, err)
			}
		})
	}
}

// TestFailuresRun: each failure has its words and its exit code, and errors of several
// hosts are not taken for one another's.
func TestFailuresRun(t *testing.T) {
	in := &interpreter{functions: functions(parse(t, readers[1])[0])}
	call := func(name string, args map[string]any) any {
		t.Helper()
		in.said = nil
		out, err := in.call(name, args)
		if err != nil || len(out) != 1 {
			t.Fatalf("%s: %v, %v", name, out, err)
		}
		return out[0]
	}
	for failure, want := range map[string]struct {
		code  int64
		words string
	}{
		"BadRequest": {2, "web1: why"}, "NoService": {3, "web1: PacketCache cannot be reached: why"},
		"NoRights": {4, "web1: not permitted: why. "}, "Incomplete": {1, "nothing was kept: why. Try again."}, "Failed": {1, "web1: why"},
	} {
		if got := call("Get-FailureCode", map[string]any{"Failure": failure}); got != want.code {
			t.Errorf("%s: exit code %v", failure, got)
		}
		if got := text(call("Get-FailureText", map[string]any{"HostName": "web1", "Failure": failure, "Message": "why"})); !strings.Contains(got, want.words) {
			t.Errorf("%s: %s", failure, got)
		}
	}

	for _, test := range []struct {
		host, words string
		want        bool
	}{
		{"web1", "[web1] Connecting to remote server web1 failed", true},
		{"WEB1", "[web1] Connecting", true},
		{"web1", "[web10] Connecting to remote server web10 failed", false},
		{"web1", "[web1.example.com] Connecting", false},
		{"eb1", "[web1] Connecting", false},
		{"web1", "the data of web1.", true},
		{"web1", "web1", true},
		{"192.0.2.1", "[192.0.2.10] no", false},
		{"192.0.2.1", "[192.0.2.1] no", true},
		{"1921021", "[192.0.2.1] no", false},
	} {
		if got := call("Test-ErrorOfHost", map[string]any{"Problem": &errorRecord{text: test.words}, "HostName": test.host}); got != test.want {
			t.Errorf("%s in %q: %v", test.host, test.words, got)
		}
	}

	for _, test := range []struct {
		id    string
		code  int64
		words string
	}{
		{"AccessDenied,PSSessionOpenFailed", 4, "web1: not permitted: the logon over WinRM was denied ([web1] no)"},
		{"LogonFailure,PSSessionOpenFailed", 4, "not permitted"},
		{"AuthenticationFailed,PSSessionOpenFailed", 4, "not permitted"},
		{"NetworkPathNotFound,PSSessionOpenFailed", 1, "web1: not reachable over WinRM: [web1] no On that host, as administrator: Enable-PSRemoting"},
		{"ServerNotTrusted,PSSessionOpenFailed", 1, "TrustedHosts"},
		{"CannotUseIPAddress,PSSessionOpenFailed", 1, "-UseSSL"},
		{"-2144108526,PSSessionOpenFailed", 1, "not reachable"},
	} {
		code := call("Show-LogonFailure", map[string]any{"HostName": "web1", "Problem": &errorRecord{"[web1] no", test.id}})
		if said := strings.Join(in.said, "\n"); code != test.code || !strings.HasPrefix(said, "error: ") || !strings.Contains(said, test.words) {
			t.Errorf("%s: exit code %v, %s", test.id, code, said)
		}
	}
	if code := call("Show-LogonFailure", map[string]any{"HostName": "web1", "Problem": nil}); code != int64(1) {
		t.Errorf("no reason: exit code %v", code)
	}
}

// namesIn are the names of the files in a directory, in order.
func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
