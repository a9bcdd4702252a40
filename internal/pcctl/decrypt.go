package pcctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/seal"
)

func decryptCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "decrypt",
		Usage:     "write what a sealed cache holds as a capture file",
		ArgsUsage: fileArgument,
		UsageText: "pcctl decrypt FILE [-i KEYFILE]... [-w OUT|-] [--format pcap|pcapng]\n[--since T] [--until T] [--last AGE] [--filter EXPR] [--json]",
		Description: `Opens the file in which the service keeps its cache over a restart, on any
machine, and writes its packets in time order. KEYFILE holds the secret key of a
recovery recipient, as age-keygen writes it; - is standard input. Without -i the
service of this machine is asked, which has the keys of what it sealed itself.

OUT appears when it is complete and not before; one of that name is replaced.
Without -w it is called HOST_yymmdd_hhmm.pcapng on a terminal, after the machine
and the time of the file, and goes to standard output into a pipe. As pcapng it
says in comments how far back it reaches, and when the service was looking.

Of a file that is damaged or was cut off, what can be read is written, and what is
missing is told; the exit code is 1 then.

With --json what is said at the end is JSON, on standard output, or on standard
error where that takes the packets.

T, AGE and EXPR are those of "pcctl dump"; AGE counts back from the newest packet
in the file. "pcctl verify" checks a file and writes nothing.

Examples:
  pcctl decrypt PacketCache.sealed
  pcctl decrypt PacketCache.sealed -i recovery.key -w out.pcapng
  pcctl decrypt PacketCache.sealed -i recovery.key --last 2h --filter "port 53"`,
		Flags: []cli.Flag{
			keyFlag(),
			&cli.StringFlag{Name: "write", Aliases: []string{"w"}, Usage: "`OUT` to write, - for standard output"},
			&cli.StringFlag{Name: "format", Value: string(control.PCAPNG), Usage: "`FORMAT` of the file: pcapng, or pcap with one link type for all and microseconds"},
			&cli.StringFlag{Name: "since", Usage: "only packets from time `T` on"},
			&cli.StringFlag{Name: "until", Usage: "only packets up to time `T`"},
			&cli.StringFlag{Name: "last", Usage: "only packets of the last `AGE` in the file"},
			&cli.StringFlag{Name: "filter", Usage: "only packets that match `EXPR`"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error { return decryptAction(m, c) },
	}
}

func decryptAction(m machine, c *cli.Context) error {
	req, err := dumpRequest(c)
	if err != nil {
		return &usageProblem{command: c.Command.Name, err: err}
	}
	target, err := dumpTarget(c)
	if err != nil {
		return &usageProblem{command: c.Command.Name, err: err}
	}
	wanted, err := parseFilter(req.Filter)
	if err == nil {
		err = decryptTo(c.Context, m, c, &decryption{request: req, filter: wanted}, target)
	}
	if err != nil {
		return &filtered{req.Filter, err}
	}
	return nil
}

// parseFilter reads a filter; of an empty one it returns nil.
func parseFilter(text string) (*filter.Set, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no filter
	}
	expr, err := filter.Parse(text)
	if err != nil {
		return nil, control.FilterProblem(err)
	}
	set, err := filter.NewSet(expr)
	if err != nil {
		return nil, control.FilterProblem(err)
	}
	return set, nil
}

func decryptTo(ctx context.Context, m machine, c *cli.Context, d *decryption, target string) error {
	file, err := openSealed(c)
	if err != nil {
		return err
	}
	defer file.Close()
	ids, err := file.keys(ctx, m, c)
	if err != nil {
		return err
	}
	bar := newProgress(c.App.ErrWriter, "checking")
	defer bar.finish()
	d.file, err = seal.Open(file, func(done int64) error {
		bar.set(done, file.info.Size())
		return ctx.Err()
	}, ids...)
	bar.finish()
	if ctx.Err() != nil {
		return errors.New("interrupted, nothing was written")
	}
	if err != nil {
		return file.explain(err)
	}
	defer d.file.Close()
	d.between()
	named := target != ""
	if !named {
		target = defaultName(d.file.Head.Host, d.file.Head.Saved.Local(), d.request.Format)
	}
	out, shown, err := openTarget(ctx, c, target, named)
	if err != nil {
		return err
	}
	defer out.discard()
	bar = newProgress(c.App.ErrWriter, "writing")
	defer bar.finish()
	if err = d.write(ctx, out, bar); err == nil {
		err = out.commit()
	}
	bar.finish()
	if err != nil {
		return explainDump(ctx, err, shown, target != standardOutput)
	}
	missing := d.incomplete(file, shown)
	switch {
	case !c.Bool(flagJSON):
		err = printLines(c.App.ErrWriter, d.lines(out, target))
	case target == standardOutput:
		err = json.NewEncoder(c.App.ErrWriter).Encode(d.json(out, missing))
	default:
		err = printJSON(c.App.Writer, d.json(out, missing))
	}
	return errors.Join(missing, err)
}

// between turns the times of the request into bounds of timestamps.
func (d *decryption) between() {
	d.since, d.until = packet.Between(d.request.Since, d.request.Until)
	if newest := d.file.Found.Newest; d.request.Last > 0 && newest >= math.MinInt64+int64(d.request.Last) {
		d.since = newest - int64(d.request.Last)
	}
}

// incomplete is the error for a file of which not all could be read.
func (d *decryption) incomplete(file *sealedFile, shown string) error {
	var why []string
	r := &d.file.Report
	if r.Damage != nil {
		why = append(why, fmt.Sprintf("of its %s bytes it is %v", grouped(uint64(file.info.Size())), r.Damage))
	}
	if r.Strange.Segments > 0 {
		why = append(why, fmt.Sprintf("%s make no sense: %v", counted(uint64(r.Strange.Segments), "segment"), r.Strangest))
	}
	if d.lost.Segments > 0 {
		why = append(why, fmt.Sprintf("%s could not be read: %v", counted(uint64(d.lost.Segments), "segment"), d.why))
	}
	if why == nil {
		return nil
	}
	missing := missingText(r, d.lost.Packets)
	return withHint(fmt.Errorf("%s is not whole: %s; %s", file.path, strings.Join(why, "; "), missing),
		"what could be read is in "+shown+"; look for another copy of the file for the rest.")
}

// missingText says how much of a file could be read.
func missingText(r *seal.Report, lost uint64) string {
	have, should := r.Found.Packets-min(lost, r.Found.Packets), r.Expected().Packets
	about := ""
	if !r.Ended {
		about = "about "
	}
	return fmt.Sprintf("%s of %s%s could be read", grouped(have), about, counted(max(should, have), "packet"))
}
