package eventlog

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every event of the catalogue is reported somewhere. (That every one that is
// reported stands in the catalogue, the compiler sees.)
func TestEveryEventIsReported(t *testing.T) {
	used := map[string]bool{}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "eventlog" {
					used[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	for _, e := range Events() {
		if !used[e.Name] {
			t.Errorf("%d %s is reported nowhere", e.ID, e.Name)
		}
	}
}

// A warning or an error that is no event would not reach who watches the Event
// Log.
func TestEveryWarningIsAnEvent(t *testing.T) {
	for path, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Warn", "Warnf", "Warning", "Warningf", "Error", "Errorf"}, s.Sel.Name) {
				return true
			}
			if x, ok := s.X.(*ast.Ident); !ok || x.Name != "fmt" {
				t.Errorf("%s calls %s of something else than an event", path, s.Sel.Name)
			}
			return true
		})
	}
}

// sources are the files of the programs, without tests and their helpers.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, root := range []string{"../cmd", "../internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "capturetest":
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			files[path], err = parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
