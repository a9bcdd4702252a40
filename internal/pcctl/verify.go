package pcctl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"
	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/seal"
)

func verifyCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a sealed cache and say what is in it",
		ArgsUsage: fileArgument,
		UsageText: "pcctl verify FILE [-i KEYFILE]... [--json]",
		Description: `Reads all of the file in which the service keeps its cache over a restart,
unpacks it, goes through its packets, and writes nothing. It says whose the file
is, how far back it reaches, and what is damaged, if anything. KEYFILE is that of
"pcctl decrypt"; without -i the service of this machine is asked. Without a key it
says what everybody can know.

The exit code is 0 only if all of the file is as it was written.

Examples:
  pcctl verify PacketCache.sealed
  pcctl verify PacketCache.sealed -i recovery.key
  pcctl verify PacketCache.sealed -i recovery.key --json`,
		Flags:  []cli.Flag{keyFlag(), jsonFlag()},
		Action: func(c *cli.Context) error { return verifyAction(m, c) },
	}
}

func verifyAction(m machine, c *cli.Context) error {
	file, err := openSealed(c)
	if err != nil {
		return err
	}
	defer file.Close()
	v := newVerification(file)
	ids, err := file.keys(c.Context, m, c)
	if err == nil {
		err = v.read(c.Context, c, file, ids)
	}
	if c.Context.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		v.Problem = err.Error()
	}
	var said error
	if c.Bool(flagJSON) {
		said = printJSON(c.App.Writer, v)
	} else {
		said = printLines(c.App.Writer, v.lines())
	}
	if err != nil && v.report == nil {
		return noKey(err)
	}
	return errors.Join(err, said)
}

// noKey makes an error of what could not be read for want of a key: that nothing
// answers is not what this command is about.
func noKey(err error) error {
	if !errors.Is(err, ipc.ErrNotRunning) {
		return err
	}
	_, hint := classify(err, "")
	return withHint(errors.New(err.Error()), hint)
}

// A verification is what is said of a file; in JSON, what programs read.
type verification struct {
	File string `json:"file"`
	// Size is that of the file.
	Size int64 `json:"size_bytes"`
	// FormatVersion, Identity and Recipients can be read without a key.
	FormatVersion int    `json:"format_version"`
	Identity      string `json:"identity"`
	Recipients    int    `json:"recipients"`
	// Good says that all of the file is as it was written; else Problem says why
	// not, or why nobody can tell.
	Good    bool   `json:"good"`
	Problem string `json:"problem,omitempty"`
	// Content is what was read, with a key.
	Content *verifiedContent `json:"content,omitempty"`

	report *seal.Report
}

// A verifiedContent is what was read of a file.
type verifiedContent struct {
	Program string    `json:"program"`
	Host    string    `json:"host"`
	Saved   time.Time `json:"saved"`
	// Final says that the service stopped; else it is a checkpoint.
	Final bool `json:"final"`
	// Seconds is how far back the history of the cache reached.
	Seconds float64 `json:"seconds"`
	verifiedCount
	// ExpectedPackets are those that the file says it has; of one that was cut off,
	// about as many.
	ExpectedPackets uint64 `json:"expected_packets"`
	// Whole says that the file has its end.
	Whole bool `json:"whole"`
	// Cut says that there was no time to write all: LeftOut packets.
	Cut     bool   `json:"cut"`
	LeftOut uint64 `json:"left_out_packets"`
	// Evicted packets had to make room while the file was written.
	Evicted    uint64          `json:"evicted_packets"`
	Damage     *verifiedDamage `json:"damage,omitempty"`
	Strange    int             `json:"strange_segments"`
	Logs       []verifiedLog   `json:"logs"`
	Rules      int             `json:"rules"`
	Interfaces []string        `json:"interfaces"`
	Coverage   []seal.Coverage `json:"coverage"`
}

// A verifiedDamage says from where on a file cannot be read.
type verifiedDamage struct {
	Offset int64  `json:"offset"`
	Places int    `json:"places"`
	Reason string `json:"reason"`
}

// A verifiedCount is some packets; Bytes are captured ones.
type verifiedCount struct {
	Segments int       `json:"segments"`
	Packets  uint64    `json:"packets"`
	Bytes    uint64    `json:"bytes"`
	Oldest   time.Time `json:"oldest_packet,omitzero"`
	Newest   time.Time `json:"newest_packet,omitzero"`
}

// A verifiedLog is what is there of a log.
type verifiedLog struct {
	Class      int     `json:"class"`
	Unanswered bool    `json:"unanswered"`
	Factor     float64 `json:"factor"`
	verifiedCount
}

func newVerification(file *sealedFile) *verification {
	return &verification{
		File: file.path, Size: file.info.Size(),
		FormatVersion: file.name.Version, Identity: file.name.Identity, Recipients: file.name.Recipients,
	}
}

// read reads the file with a key. The error says what is wrong with it.
func (v *verification) read(ctx context.Context, c *cli.Context, file *sealedFile, ids []age.Identity) (err error) {
	bar := newProgress(c.App.ErrWriter, "checking")
	defer bar.finish()
	v.report, err = seal.Verify(file, func(done int64) error {
		bar.set(done, v.Size)
		return ctx.Err()
	}, ids...)
	if err != nil {
		return file.explain(err)
	}
	v.Content = contentOf(v.report)
	v.Good = v.report.Good()
	return notGood(file, v.report)
}

// notGood says what is wrong with a file, nil if nothing is.
func notGood(file *sealedFile, r *seal.Report) error {
	switch {
	case r.Damage != nil:
		return withHint(fmt.Errorf("%s, of %s bytes, is %w: %s", file.path, grouped(uint64(file.info.Size())), r.Damage, missingText(r, 0)),
			"\"pcctl decrypt\" writes what can be read; look for another copy of the file for the rest.")
	case r.Strange.Segments > 0:
		return withHint(fmt.Errorf("%s: %s not what they say: %w", file.path, counted(uint64(r.Strange.Segments), "segment"), r.Strangest),
			"the file is as it was written, so what wrote it is at fault; \"pcctl decrypt\" writes what can be read.")
	}
	return nil
}

func contentOf(r *seal.Report) *verifiedContent {
	h := r.Head
	content := &verifiedContent{
		Program: h.Program, Host: h.Host, Saved: h.Saved, Final: h.Final, Seconds: h.State.Age.Seconds(),
		verifiedCount: countOf(&r.Found), ExpectedPackets: r.Expected().Packets, Whole: r.Ended,
		Cut: r.End.Cut, LeftOut: r.End.Left, Evicted: r.End.Evicted, Strange: r.Strange.Segments,
		Logs: []verifiedLog{}, Rules: len(h.State.Rules), Interfaces: []string{}, Coverage: h.Coverage,
	}
	if content.Coverage == nil {
		content.Coverage = []seal.Coverage{}
	}
	if r.Damage != nil {
		content.Damage = &verifiedDamage{r.Damage.FileOffset, r.Damage.Places, r.Damage.Err.Error()}
	}
	for i := range h.State.Logs {
		l := &h.State.Logs[i]
		content.Logs = append(content.Logs, verifiedLog{l.Class, l.Unanswered, l.Factor, countOf(&r.Logs[i])})
	}
	seen := map[string]bool{}
	for _, table := range h.State.Tables {
		for i := range table {
			if name := table[i].Name; name != "" && !seen[name] {
				seen[name] = true
				content.Interfaces = append(content.Interfaces, name)
			}
		}
	}
	return content
}

func countOf(c *seal.Content) verifiedCount {
	v := verifiedCount{Segments: c.Segments, Packets: c.Packets, Bytes: c.Bytes}
	if c.Packets > 0 {
		v.Oldest, v.Newest = time.Unix(0, c.Oldest), time.Unix(0, c.Newest)
	}
	return v
}
