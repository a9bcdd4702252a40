package pcctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

const standardOutput = "-"

func dumpCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "dump",
		Usage:     "write what the cache holds as a capture file",
		UsageText: "pcctl dump [-w FILE|-] [--format pcap|pcapng] [--since T] [--until T]\n[--last AGE] [--filter EXPR] [--limit SIZE] [--follow]",
		Description: `Writes the packets in time order. FILE appears when it is complete and not
before; one of that name is replaced. Without -w it is called
HOST_yymmdd_hhmm.pcap on a terminal, or HOST_yymmdd_hhmm-2.pcap where there is
one already, and goes to standard output into a pipe.

T is a time as in RFC 3339, without a zone in that of this machine:
2026-03-01T09:30:00+01:00, "2026-03-01 09:30"; a date, 2026-03-01, for when that
day begins; or a time of day, 23:00, for the last time that it was that late.
AGE is a number with s, m, h or d: 90s, 30m, 2h, 3d. SIZE is bytes or a number
with kB, KiB, MB, MiB, GB or GiB; the oldest packets up to that size are
written. EXPR is a filter as tcpdump takes it, see pcap-filter(7).

With --follow it goes on with what comes, until Ctrl+C, --until or --limit ends
it: FILE is complete then, too. What a slow reader lost is counted. An ssh
connection that pcctl itself runs over is left out, since it would see its own
output.

Run with sudo, FILE belongs to the user who called sudo; nobody else can read
it.

Examples:
  pcctl dump -w out.pcap
  pcctl dump --last 30m --filter "host 10.0.0.7 and port 443" -w out.pcap
  pcctl dump --since "2026-03-01 09:00" --until "2026-03-01 10:00" -w out.pcap
  pcctl dump --since 23:00 --until 01:30 -w night.pcap
  pcctl dump --format pcapng --limit 100MiB -w out.pcapng
  pcctl dump --last 5m --follow -w - | wireshark -k -i -`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "write", Aliases: []string{"w"}, Usage: "`FILE` to write, - for standard output"},
			&cli.StringFlag{Name: "format", Value: string(control.PCAP), Usage: "`FORMAT` of the file: pcap, or pcapng with interfaces and nanoseconds"},
			&cli.StringFlag{Name: "since", Usage: "only packets from time `T` on"},
			&cli.StringFlag{Name: "until", Usage: "only packets up to time `T`"},
			&cli.StringFlag{Name: "last", Usage: "only packets of the last `AGE`"},
			&cli.StringFlag{Name: "filter", Usage: "only packets that match `EXPR`"},
			// Hidden: it is here to be refused with the way to do it.
			&cli.StringFlag{Name: "interface", Aliases: []string{"i"}, Hidden: true},
			&cli.BoolFlag{Name: "follow", Usage: "go on with what comes, until Ctrl+C", DisableDefaultText: true},
			&cli.StringFlag{Name: "limit", Usage: "stop before the file exceeds `SIZE`"},
		},
		Action: func(c *cli.Context) error { return dumpAction(m, c) },
	}
}

func dumpAction(m machine, c *cli.Context) error {
	req, err := dumpRequest(c)
	if err != nil {
		return &usageProblem{command: c.Command.Name, err: err}
	}
	target, err := dumpTarget(c)
	if err != nil {
		return &usageProblem{command: c.Command.Name, err: err}
	}
	named := target != ""
	if !named {
		target = defaultName(hostname(), time.Now(), req.Format)
	}
	ctx := c.Context
	if req.Follow {
		var done func()
		ctx, done = inGoodOrder(ctx)
		defer done()
	}
	err = dumpTo(ctx, m, c, req, target, named)
	if err != nil {
		return &commandError{command: c.Command.Name, filter: req.Filter, err: err}
	}
	return nil
}

func dumpTo(ctx context.Context, m machine, c *cli.Context, req control.DumpRequest, target string, named bool) error {
	client := m.newClient(c)
	defer client.Close()
	var own connection
	if req.Follow {
		req.End = c.Context.Done()
		if own = ownConnection(); own.known() {
			req.Exclude = own.filter()
		}
	}
	out, shown, err := openTarget(ctx, c, target, named)
	if err != nil {
		return err
	}
	defer out.discard()
	what := "reading"
	if req.Follow {
		what = "following, Ctrl+C ends it"
	}
	bar := newProgress(c.App.ErrWriter, what)
	result, err := client.Dump(ctx, req, out, bar.set)
	if err == nil {
		err = out.commit()
	}
	bar.finish()
	if err != nil {
		return explainDump(ctx, err, shown, target != standardOutput)
	}
	sum := summary{DumpResult: result, request: req, target: target, own: own, now: time.Now(), ended: c.Context.Err() != nil}
	if file, ok := out.(*fileOutput); ok {
		sum.target, sum.replaced = file.path, file.replaced
	}
	// The dump is whole, whether or not the service still answers.
	if st, err := client.Status(ctx); err == nil {
		sum.dropped = st.Totals.Dropped
	}
	return printLines(c.App.ErrWriter, sum.lines())
}

// explainDump says what became of the target: a file is whole or not there,
// standard output has got what was written.
func explainDump(ctx context.Context, err error, target string, isFile bool) error {
	kept := "nothing was kept"
	if !isFile {
		kept = "what was written is incomplete"
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted, %s in %s", kept, target)
	}
	if isDiskFull(err) {
		return withHint(fmt.Errorf("the disk is full: %w", err),
			kept+"; write elsewhere, or less of it with --last, --filter or --limit.")
	}
	return err
}

func dumpRequest(c *cli.Context) (control.DumpRequest, error) {
	req := control.DumpRequest{
		Format: control.Format(strings.ToLower(c.String("format"))),
		Filter: c.String("filter"),
		SHA256: true,
		Follow: c.Bool("follow"),
	}
	if req.Format != control.PCAP && req.Format != control.PCAPNG {
		return req, fmt.Errorf("--format: %q is neither pcap nor pcapng", c.String("format"))
	}
	if c.IsSet("interface") {
		return req, withHint(errors.New("--interface: a dump has the packets of all interfaces"),
			"with --format pcapng it names the interface of each packet: tshark -r FILE -Y 'frame.interface_name == \"eth0\"' shows those of one.")
	}
	now := time.Now()
	for name, to := range map[string]*time.Time{"since": &req.Since, "until": &req.Until} {
		if !c.IsSet(name) {
			continue
		}
		t, err := parseTime(c.String(name), now)
		if err != nil {
			return req, fmt.Errorf("--%s: %w", name, err)
		}
		*to = t
	}
	if c.IsSet("last") {
		age, err := control.ParseAge(c.String("last"))
		if err != nil {
			return req, fmt.Errorf("--last: %w", err)
		}
		req.Last = age
	}
	switch {
	case req.Last != 0 && !req.Since.IsZero():
		return req, errors.New("--since and --last exclude each other")
	case !req.Since.IsZero() && !req.Until.IsZero() && req.Until.Before(req.Since):
		return req, errors.New("--until is before --since")
	}
	if c.IsSet("limit") {
		size, err := config.ParseSize(c.String("limit"))
		if err != nil {
			return req, fmt.Errorf("--limit: %w", err)
		}
		if size == 0 {
			return req, errors.New("--limit: 0 leaves room for nothing")
		}
		req.Limit = int64(size)
	}
	return req, nil
}

// timeLayouts are what a time may look like; those without a zone are local.
var timeLayouts = []string{
	"2006-01-02T15:04:05", "2006-01-02 15:04:05",
	"2006-01-02T15:04", "2006-01-02 15:04",
	"2006-01-02",
}

// parseTime reads a time. One of a day alone is the last before now.
func parseTime(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		year, month, day := now.Local().Date()
		at := time.Date(year, month, day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.Local)
		if at.After(now) {
			at = time.Date(year, month, day-1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.Local)
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-03-01T09:30:00+01:00, \"2026-03-01 09:30\", 2026-03-01 or 23:00", s)
}

// dumpTarget chooses the file, "-" for standard output; empty for a name that is
// free.
func dumpTarget(c *cli.Context) (target string, err error) {
	_, onTerminal := terminalOf(c.App.Writer)
	if !c.IsSet("write") {
		if !onTerminal {
			return standardOutput, nil
		}
		return "", nil
	}
	switch target := c.String("write"); {
	case target == "":
		return "", errors.New("-w: the name of the file is empty")
	case target == standardOutput && onTerminal:
		return "", errors.New("-w -: a capture file would only garble the terminal: name a file or use a pipe")
	default:
		return target, nil
	}
}

// openTarget prepares to write the target, and says what it is called. Named says
// that the user did.
func openTarget(ctx context.Context, c *cli.Context, target string, named bool) (out output, shown string, err error) {
	if target == standardOutput {
		return streamOutput{c.App.Writer}, "standard output", nil
	}
	out, err = openOutput(ctx, target, named)
	return out, target, err
}

// defaultName is how PacketCache's users know their dumps:
// HOST_181112_1337.pcap.
func defaultName(host string, now time.Time, format control.Format) string {
	host = strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, host)
	return strings.TrimLeft(host, "-.") + now.Format("_060102_1504.") + string(format)
}

// quoted is a file name that a shell takes as one word.
func quoted(name string) string {
	if strings.IndexFunc(name, func(r rune) bool {
		return !(r > 127 || strings.ContainsRune("-_./\\:+,@%", r) || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
	}) < 0 && !strings.HasPrefix(name, "-") {
		return clean(name)
	}
	return `"` + clean(name) + `"`
}

// A output takes a dump: a file that appears when it is committed, or a stream.
type output interface {
	io.Writer
	// commit makes what was written last.
	commit() error
	// discard removes what was written, unless it was committed.
	discard()
}

// A streamOutput passes bytes on; what has been passed on cannot be taken back.
type streamOutput struct{ io.Writer }

func (streamOutput) commit() error { return nil }
func (streamOutput) discard()      {}
