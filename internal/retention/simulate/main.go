// Command simulate measures how much of a trace is left in a fixed amount of
// memory. It prints tables in Markdown and draws pictures; docs/retention.md
// says what they mean. "make retention" runs it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/retention"
	"github.com/packetcache/packetcache/internal/retention/week"
	"github.com/packetcache/packetcache/internal/trace"
)

func main() {
	document := flag.String("update", "", "write what is measured into this document; see there")
	o := newOptions(flag.CommandLine)
	flag.Parse()
	var err error
	if *document != "" {
		err = update(*document)
	} else {
		err = o.run(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "simulate: %v\n", err)
		os.Exit(1)
	}
}

// tables are what can be shown.
var tables = []string{"variants", "ages", "biases"}

type options struct {
	trace  string
	budget budget
	bias   float64
	show   string
	week   week.Week
	out    string
}

// A budget is a size, as a flag.
type budget struct{ config.Size }

func (b *budget) Set(s string) (err error) {
	b.Size, err = config.ParseSize(s)
	return err
}

func newOptions(f *flag.FlagSet) *options {
	o := &options{budget: budget{10 * config.MiB}}
	f.StringVar(&o.trace, "trace", "", `what to replay: a pcap or pcapng file (.zst too), "office" (the day of the corpus), or "week" (made up); default: office if it is there, else week`)
	f.Var(&o.budget, "budget", "memory that packets are kept in")
	f.Float64Var(&o.bias, "bias", config.Defaults().Bias, "of the cache; see docs/configuration.md")
	f.StringVar(&o.show, "show", strings.Join(tables, ","), "tables to print")
	f.Uint64Var(&o.week.Seed, "seed", 1, "of the week; the same gives the same packets")
	f.Float64Var(&o.week.Days, "days", 7, "length of the week")
	f.StringVar(&o.out, "out", "", "directory for the pictures; none: draw none")
	return o
}

// run measures, and writes tables to w and pictures to files.
func (o *options) run(w io.Writer) error {
	for table := range strings.SplitSeq(o.show, ",") {
		if !slices.Contains(tables, table) {
			return fmt.Errorf("there is no table %q, only %s", table, strings.Join(tables, ", "))
		}
	}
	name, t, err := o.open()
	if err != nil {
		return err
	}
	x, err := trace.NewIndex(t)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	measure := func(variants []retention.Variant) (*retention.Study, error) {
		return retention.Measure(name, t, x, int(o.budget.Size), variants)
	}
	study, err := measure(retention.Variants(o.bias))
	if err != nil {
		return err
	}
	fmt.Fprintln(w, study.Title())
	for table := range strings.SplitSeq(o.show, ",") {
		fmt.Fprintln(w)
		switch table {
		case "variants":
			err = study.WriteTable(w)
		case "ages":
			fmt.Fprintf(w, "Sessions with their first 4 KiB, by age:\n\n")
			err = study.WriteAges(w, 1)
		case "biases":
			fmt.Fprintf(w, "The cache as it is shipped, by bias:\n\n")
			var sweep *retention.Study
			if sweep, err = measure(retention.Sweep(retention.Biases)); err == nil {
				err = sweep.WriteList(w)
			}
		}
		if err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	return draw(study, o.out)
}

// open finds the trace.
func (o *options) open() (name string, t trace.Trace, err error) {
	switch o.trace {
	case "week":
		return "week", o.week, nil
	case "office", "":
		t, err = trace.Corpus(".", "office-dev.pcap.zst")
		if err != nil && o.trace == "" {
			return "week", o.week, nil
		}
		return "office", t, err
	default:
		name = filepath.Base(o.trace)
		for _, suffix := range []string{".zst", ".pcap", ".pcapng"} {
			name = strings.TrimSuffix(name, suffix)
		}
		return name, trace.File(o.trace), nil
	}
}
