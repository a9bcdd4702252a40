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
	"strings"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/retention"
	"github.com/packetcache/packetcache/internal/retention/week"
	"github.com/packetcache/packetcache/internal/trace"
)

func main() {
	o := options{}
	flag.StringVar(&o.trace, "trace", "", `what to replay: a pcap or pcapng file (.zst too), "office" (the day of the corpus), or "week" (made up); default: office if it is there, else week`)
	budget := flag.String("budget", "10MiB", "memory that packets are kept in")
	flag.Float64Var(&o.bias, "bias", config.Defaults().Bias, "of the cache; see docs/configuration.md")
	flag.BoolVar(&o.sweep, "sweep", false, "compare values of the bias, too")
	flag.Uint64Var(&o.week.Seed, "seed", 1, "of the week; the same gives the same packets")
	flag.Float64Var(&o.week.Days, "days", 7, "length of the week")
	flag.StringVar(&o.out, "out", "", "directory for the pictures; none: draw none")
	flag.Parse()
	size, err := config.ParseSize(*budget)
	if err == nil {
		o.budget = int(size)
		err = o.run(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "simulate: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	trace  string
	budget int
	bias   float64
	sweep  bool
	week   week.Week
	out    string
}

func (o *options) run(w io.Writer) error {
	name, t, err := o.open()
	if err != nil {
		return err
	}
	x, err := trace.NewIndex(t)
	if err != nil {
		return fmt.Errorf("%s: %w", o.trace, err)
	}
	study, err := retention.Measure(name, t, x, o.budget, retention.Variants(o.bias))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n\n", study.Title())
	if err := study.WriteTable(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nSessions with their first 4 KiB, by age:\n\n")
	if err := study.WriteAges(w, 1); err != nil {
		return err
	}
	if o.sweep {
		sweep, err := retention.Measure(name, t, x, o.budget, retention.Sweep(retention.Biases))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\nThe cache as it is shipped, by bias:\n\n")
		if err := sweep.WriteList(w); err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	files, err := draw(study, o.out)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nPictures: %s\n", strings.Join(files, ", "))
	return nil
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
