package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// isLicence matches the names of files that say under which terms a module may be
// copied.
var isLicence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-.].*)?$`)

// licences is one text with the licences of Go and of all modules in these
// programs.
func licences(programs []string) ([]byte, error) {
	if len(programs) == 0 {
		return nil, fmt.Errorf("there are no programs to read")
	}
	var b bytes.Buffer
	b.WriteString("PacketCache is under the Apache License 2.0. Its programs contain the following.\n")
	root, err := output("go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	if err := write(&b, "Go, its standard library and runtime (https://go.dev)", strings.TrimSpace(string(root))); err != nil {
		return nil, err
	}
	modules, err := modulesOf(programs)
	if err != nil {
		return nil, err
	}
	for _, m := range modules {
		// Into the cache of modules, where it is already.
		out, err := output("go", "mod", "download", "-json", m)
		if err != nil {
			return nil, err
		}
		var found struct{ Dir string }
		if err := json.Unmarshal(out, &found); err != nil {
			return nil, fmt.Errorf("module %s: %w", m, err)
		}
		if err := write(&b, m, found.Dir); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// modulesOf lists the modules that programs are made of, path@version, besides
// their own.
func modulesOf(programs []string) (list []string, err error) {
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, err
		}
		for _, dep := range info.Deps {
			list = append(list, moduleOf(dep))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func moduleOf(dep *debug.Module) string {
	if dep.Replace != nil {
		dep = dep.Replace
	}
	return dep.Path + "@" + dep.Version
}

// write adds the licences in a directory.
func write(b *bytes.Buffer, title, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, entry := range entries {
		if entry.IsDir() || !isLicence.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		if !found {
			fmt.Fprintf(b, "\n\n%s\n%s\n", title, strings.Repeat("=", len(title)))
		}
		found = true
		fmt.Fprintf(b, "\n%s\n", bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
	}
	if !found {
		return fmt.Errorf("%s: no licence in %s", title, dir)
	}
	return nil
}

func output(name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return out, nil
}
