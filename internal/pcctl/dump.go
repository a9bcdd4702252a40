package pcctl

import (
	"context"
	"encoding/json"
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
		UsageText: "pcctl dump [-w FILE|-] [--format pcap|pcapng] [--since T] [--until T]\n[--last AGE] [--filter EXPR] [--limit SIZE] [--follow] [--remote HOST] [--json]",
		Description: `Writes the packets in time order. FILE appears when it is complete and not
before; one of that name is replaced. Without -w it is called
HOST_yymmdd_hhmm.pcap on a terminal, or HOST_yymmdd_hhmm-2.pcap where there is
one already, and goes to standard output into a pipe.

T is a time as in RFC 3339, without a zone in that of this machine:
2026-03-01T09:30:00+01:00, "2026-03-01 09:30"; a date, 2026-03-01, for when that
day begins; or a time of day, 23:00, for the last time that it was that late (for
--until with --follow: the next time).
AGE is a number with s, m, h or d: 90s, 30m, 2h, 3d. SIZE is bytes or a number
with kB, KiB, MB, MiB, GB or GiB; the oldest packets up to that size are
written. EXPR is a filter as tcpdump takes it, see pcap-filter(7).

With --follow it goes on with what comes, until Ctrl+C, --until or --limit ends
it: FILE is complete then, too. What a slow reader lost is counted. An ssh
connection that pcctl itself runs over is left out, since it would see its own
output.

With --remote it is the cache of HOST, where PacketCache has to be installed, too: ` + remoteDescription + `

With --json what is said at the end is JSON, on standard output, or on standard
error where that takes the dump, behind a line with the size to be expected.

Run with sudo, FILE belongs to the user who called sudo; nobody else can read
it.

Examples:
  pcctl dump -w out.pcap
  pcctl dump --last 30m --filter "host 10.0.0.7 and port 443" -w out.pcap
  pcctl dump --since "2026-03-01 09:00" --until "2026-03-01 10:00" -w out.pcap
  pcctl dump --since 23:00 --until 01:30 -w night.pcap
  pcctl dump --format pcapng --limit 100MiB -w out.pcapng
  pcctl dump --last 5m --follow -w - | wireshark -k -i -
  pcctl dump --follow --until 18:00 -w afternoon.pcap
  pcctl dump --remote web01 --user alice --last 1h`,
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
			&cli.StringFlag{Name: "remote", Usage: "read the cache of `HOST`"},
			&cli.StringFlag{Name: "user", Usage: "log on there as `U`"},
			&cli.StringFlag{Name: "ssh", Value: "ssh", Usage: "`PROGRAM` to log on with, and options: \"ssh -p 2222\""},
			&cli.StringFlag{Name: "remote-pcctl", Value: "pcctl", Usage: "`COMMAND` that is pcctl there: \"sudo -n /opt/packetcache/pcctl\""},
			// Hidden: a dump that follows for another pcctl ends when that does.
			&cli.BoolFlag{Name: flagUntilEOF, Hidden: true},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error { return dumpAction(m, c) },
	}
}

// A dumpSource is where a dump comes from: see control.Client.
type dumpSource interface {
	Dump(ctx context.Context, req control.DumpRequest, w io.Writer, progress func(done, estimate int64)) (control.DumpResult, error)
}

func dumpAction(m machine, c *cli.Context) error {
	wrong := func(err error) error { return &usageProblem{command: c.Command.Name, err: err} }
	req, err := dumpRequest(c)
	if err != nil {
		return wrong(err)
	}
	remote, err := remoteHost(c)
	if err != nil {
		return wrong(err)
	}
	host := hostname()
	if remote != nil {
		host = remote.name()
	}
	target, err := dumpTarget(c)
	if err != nil {
		return wrong(err)
	}
	named := target != ""
	if !named {
		target = defaultName(host, time.Now(), req.Format)
	}
	if remote.byScript() {
		return remote.runScript(c, req, target, named)
	}
	asked, ctx := c.Context, c.Context
	if req.Follow {
		if c.Bool(flagUntilEOF) {
			asked = untilEOF(asked, c.App.Reader)
		}
		var done func()
		ctx, done = inGoodOrder(asked)
		defer done()
		req.End = asked.Done()
	}
	d := dumpJob{c: c, req: req, target: target, named: named, asked: asked}
	if remote != nil {
		err = d.run(ctx, remote)
	} else {
		err = d.runLocal(ctx, m)
	}
	if err != nil {
		return &filtered{req.Filter, err}
	}
	return nil
}

// A dumpJob is a dump to be made.
type dumpJob struct {
	c      *cli.Context
	req    control.DumpRequest
	target string
	named  bool
	// asked ends when the user ends a dump that follows.
	asked   context.Context
	own     connection
	dropped func(context.Context) uint64
}

func (d *dumpJob) runLocal(ctx context.Context, m machine) error {
	client := m.newClient(d.c)
	defer client.Close()
	if d.req.Follow {
		if d.own = ownConnection(); d.own.known() {
			d.req.Exclude = d.own.filter()
		}
	}
	d.dropped = func(ctx context.Context) uint64 {
		// The dump is whole, whether or not the service still answers.
		st, _ := client.Status(ctx)
		return st.Totals.Dropped
	}
	return d.run(ctx, client)
}

func (d *dumpJob) run(ctx context.Context, source dumpSource) error {
	app, toFile := d.c.App, d.target != standardOutput
	out, shown, err := openTarget(ctx, d.c, d.target, d.named)
	if err != nil {
		return err
	}
	defer out.discard()
	what := "reading"
	if d.req.Follow {
		what = "following, Ctrl+C ends it"
	}
	bar := newProgress(app.ErrWriter, what)
	progress := bar.set
	if d.c.Bool(flagJSON) && !toFile {
		progress = estimateOnce(app.ErrWriter)
	}
	result, err := source.Dump(ctx, d.req, out, progress)
	if err == nil {
		err = out.commit()
	}
	bar.finish()
	if err != nil {
		return explainDump(ctx, err, shown, toFile)
	}
	sum := summary{DumpResult: result, request: d.req, target: d.target, own: d.own, now: time.Now(), ended: d.asked.Err() != nil}
	if file, ok := out.(*fileOutput); ok {
		sum.target, sum.replaced = file.path, file.replaced
	}
	if d.dropped != nil {
		sum.dropped = d.dropped(ctx)
	}
	switch {
	case !d.c.Bool(flagJSON):
		return printLines(app.ErrWriter, sum.lines())
	case toFile:
		return printJSON(app.Writer, sum.json())
	default:
		return json.NewEncoder(app.ErrWriter).Encode(sum.json()) // on one line: see remoteVoice
	}
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
			kept+"; write elsewhere, or less of it with --last or --filter.")
	}
	return err
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

// quoted is a file name that a shell takes as one word, and is safe to print.
func quoted(name string) string { return clean(config.Quoted(name)) }

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
