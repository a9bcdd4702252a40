package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// In a document stands what was measured how:
//
//	<!-- simulate -trace office -budget 10MiB -->
//	...
//	<!-- end -->
const (
	opening = "<!-- simulate "
	closing = " -->\n"
	ending  = "<!-- end -->\n"
)

// update measures anew what stands in a document.
func update(path string) error {
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	rest, found := string(document), false
	for {
		before, after, more := strings.Cut(rest, opening)
		b.WriteString(before)
		if !more {
			break
		}
		args, old, _ := strings.Cut(after, closing)
		_, tail, ended := strings.Cut(old, ending)
		if !ended {
			return fmt.Errorf("%s: there is no %safter %s%s", path, strings.TrimSpace(ending)+" ", opening, args)
		}
		fmt.Fprintf(&b, "%s%s%s\n", opening, args, closing)
		f := flag.NewFlagSet("simulate", flag.ContinueOnError)
		f.SetOutput(io.Discard)
		o := newOptions(f)
		if err := f.Parse(strings.Fields(args)); err != nil {
			return fmt.Errorf("%s: %s: %w", path, args, err)
		}
		if err := o.run(&b); err != nil {
			return fmt.Errorf("%s: %s: %w", path, args, err)
		}
		b.WriteString("\n" + ending)
		rest, found = tail, true
	}
	if !found {
		return fmt.Errorf("%s: there is nothing to be measured: no %s...%s", path, opening, strings.TrimSpace(closing))
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
