package pcctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/filter"
)

// extcapInterface is how Wireshark names the interface in its preferences and on
// command lines.
const extcapInterface = "packetcache"

// The words of Wireshark's extcap protocol: extcap(4), and doc/README.extcap in
// its source. Newer versions have more; those that are not known here are passed
// over.
const (
	extcapInterfaces    = "extcap-interfaces"
	extcapVersion       = "extcap-version"
	extcapInterfaceFlag = "extcap-interface"
	extcapDLTs          = "extcap-dlts"
	extcapConfig        = "extcap-config"
	extcapCapture       = "capture"
	extcapFIFO          = "fifo"
	extcapFilter        = "extcap-capture-filter"
)

func extcapCommand(m machine) *cli.Command {
	hidden := func(flags ...cli.Flag) []cli.Flag { return flags }
	return &cli.Command{
		Name:      "extcap",
		Usage:     "make the cache an interface of Wireshark",
		UsageText: "pcctl extcap install|uninstall",
		Description: `Wireshark and tshark list programs in their extcap folder as interfaces, and run
them with the options of the extcap protocol. "pcctl extcap install" puts one there
that runs "pcctl extcap"; then an interface PacketCache appears, whose options
(the gear wheel) choose from when, until when, what, and whether to go on with what
comes.

Wireshark needs the rights to read the cache: on Linux, make its user a member of
the group that the setting socket-group names; on Windows, start it with "Run as
administrator". Otherwise it shows what is missing.

Examples:
  pcctl extcap install
  tshark -i packetcache -f "port 53"
  tshark -o extcap.packetcache.follow:false -i packetcache -w out.pcapng`,
		Flags: hidden(
			&cli.BoolFlag{Name: extcapInterfaces, Hidden: true},
			&cli.StringFlag{Name: extcapVersion, Hidden: true},
			&cli.StringFlag{Name: extcapInterfaceFlag, Hidden: true},
			&cli.BoolFlag{Name: extcapDLTs, Hidden: true},
			&cli.BoolFlag{Name: extcapConfig, Hidden: true},
			&cli.BoolFlag{Name: extcapCapture, Hidden: true},
			&cli.StringFlag{Name: extcapFIFO, Hidden: true},
			&cli.StringFlag{Name: extcapFilter, Hidden: true},
			&cli.StringFlag{Name: "since", Hidden: true},
			&cli.StringFlag{Name: "until", Hidden: true},
			&cli.StringFlag{Name: "last", Hidden: true},
			&cli.StringFlag{Name: "filter", Hidden: true},
			&cli.StringFlag{Name: "follow", Hidden: true},
		),
		Action:      func(c *cli.Context) error { return extcapAction(m, c) },
		Subcommands: extcapPlaceCommands(m),
	}
}

// extcapAction answers Wireshark. On a standard error that is not empty it shows a
// dialog, whatever the exit code, so there must be nothing but errors.
func extcapAction(m machine, c *cli.Context) error {
	switch known := c.String(extcapInterfaceFlag) == extcapInterface; {
	case c.Bool(extcapInterfaces):
		return printLines(c.App.Writer, extcapSentences(c.App.Version))
	case !c.IsSet(extcapInterfaceFlag):
		return &usageProblem{command: c.Command.Name, err: errors.New("this is run by Wireshark, or with install or uninstall")}
	case !known:
		return &usageProblem{command: c.Command.Name, err: fmt.Errorf("no interface %q, only %s", c.String(extcapInterfaceFlag), extcapInterface)}
	case c.Bool(extcapDLTs):
		return printLines(c.App.Writer, []string{extcapDLT})
	case c.Bool(extcapConfig):
		return printLines(c.App.Writer, extcapArguments(m.oldest(c), time.Now()))
	case c.Bool(extcapCapture):
		return extcapDump(m, c)
	case c.IsSet(extcapFilter):
		return verifyFilter(c.App.Writer, c.String(extcapFilter))
	}
	return &usageProblem{command: c.Command.Name, err: errors.New("nothing to do is among the options")}
}

// verifyFilter says what is wrong with a filter as Wireshark is told so: on
// standard output, with exit code 0; nothing if it is right.
func verifyFilter(w io.Writer, text string) error {
	expr, err := filter.Parse(text)
	if err == nil {
		_, err = filter.NewSet(expr)
	}
	if err == nil {
		return nil
	}
	return printLines(w, []string{clean(err.Error())})
}

// oldest is when the oldest packet came, zero if that cannot be told.
func (m machine) oldest(c *cli.Context) time.Time {
	// Wireshark asks as it starts, and waits for the answer.
	ctx, cancel := context.WithTimeout(c.Context, 2*time.Second)
	defer cancel()
	client := m.newClient(c)
	defer client.Close()
	st, err := client.Status(ctx)
	if err != nil {
		return time.Time{}
	}
	return st.OldestPacket
}

// extcapDump writes to the pipe that Wireshark reads, until there is no more or
// Wireshark has closed it.
func extcapDump(m machine, c *cli.Context) error {
	if c.String(extcapFIFO) == "" {
		return &usageProblem{command: c.Command.Name, err: errors.New("--capture without --fifo")}
	}
	asked, stop := whileParentRuns(c.Context)
	defer stop()
	ctx, done := inGoodOrder(asked)
	defer done()
	client := m.newClient(c)
	defer client.Close()
	// Whatever else is wrong: Wireshark waits for somebody to open the pipe, and shows
	// what was said when that is closed.
	fifo, err := openPipe(asked, c.String(extcapFIFO))
	if err != nil {
		return fmt.Errorf("open the pipe of Wireshark: %w", err)
	}
	if fifo == nil {
		return nil
	}
	defer fifo.Close()
	req, err := extcapRequest(c)
	if err != nil {
		return &usageProblem{command: c.Command.Name, err: err}
	}
	req.End = asked.Done()
	out := &pipeOutput{w: fifo}
	_, err = client.Dump(ctx, req, out, nil)
	if out.closed || asked.Err() != nil {
		return nil // Wireshark has enough
	}
	if err != nil {
		return &filtered{req.Filter, err}
	}
	return nil
}

// openPipe opens a named pipe for writing, and returns nil if ctx ends before
// somebody reads it.
func openPipe(ctx context.Context, path string) (pipe *os.File, err error) {
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		pipe, err = os.OpenFile(path, os.O_WRONLY, 0)
	}()
	select {
	case <-opened:
		return pipe, err
	case <-ctx.Done():
		return nil, nil // it goes with this process
	}
}

// A pipeOutput notes when the one that reads it has closed it.
type pipeOutput struct {
	w      io.Writer
	closed bool
}

func (p *pipeOutput) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.closed = p.closed || isBrokenPipe(err)
	return n, err
}

// extcapRequest reads what Wireshark's dialog, or its preferences, say.
func extcapRequest(c *cli.Context) (req control.DumpRequest, err error) {
	req = control.DumpRequest{Format: control.PCAPNG, Filter: bothFilters(c.String(extcapFilter), c.String("filter")), Follow: true}
	for name, to := range map[string]*time.Time{"since": &req.Since, "until": &req.Until} {
		if *to, err = extcapTime(c.String(name)); err != nil {
			return req, fmt.Errorf("--%s: %w", name, err)
		}
	}
	if last := c.String("last"); last != "" {
		if req.Last, err = control.ParseAge(last); err != nil {
			return req, fmt.Errorf("--last: %w", err)
		}
		req.Since = time.Time{} // the pickers always have some time
	}
	if follow := c.String("follow"); follow != "" {
		if req.Follow, err = strconv.ParseBool(follow); err != nil {
			return req, fmt.Errorf("--follow: %q is neither true nor false", follow)
		}
	}
	if !req.Until.IsZero() && req.Until.Before(req.Since) {
		return req, errors.New("the end lies before the beginning")
	}
	return req, nil
}

// extcapTime reads a time as Wireshark writes it, in seconds since 1970, or as
// dump takes it. None is 0, too.
func extcapTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n == 0 {
			return time.Time{}, nil
		}
		return time.Unix(n, 0), nil
	}
	return parseTime(s, time.Now(), false)
}

// bothFilters is a filter for what matches two of them, either of which may be
// empty.
func bothFilters(a, b string) string {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if a == "" || b == "" {
		return a + b
	}
	return "(" + a + ") and (" + b + ")"
}
