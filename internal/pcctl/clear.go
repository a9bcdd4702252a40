package pcctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/service"
	"github.com/packetcache/packetcache/internal/vault"
)

func clearCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "clear",
		Usage:     "wipe all packets, in memory and on the disk",
		UsageText: "pcctl clear --yes",
		Description: `Wipes what was recorded: the packets in memory, the sealed file in the data
directory and those set aside, and the keys that open them. The service goes on
recording. Copies of a file that were made before can then be opened with
recovery keys only. A service that does not run has nothing in memory; its files
are removed all the same. Nothing is wiped without --yes.

Example:
  pcctl clear --yes`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "yes", Usage: "do it; it cannot be undone", DisableDefaultText: true}},
		Action: func(c *cli.Context) error {
			client := m.newClient(c)
			defer client.Close()
			if !c.Bool("yes") {
				return &usageProblem{command: "clear", err: withHint(
					errors.New("nothing is wiped without --yes"), m.wouldClear(c.Context, client)+" It cannot be undone.")}
			}
			cleared, err := client.Clear(c.Context)
			if errors.Is(err, ipc.ErrNotRunning) {
				return m.clearFiles(c)
			}
			if err != nil {
				return err
			}
			return printLines(c.App.Writer, append(
				[]string{fmt.Sprintf("Wiped %s (%s) in memory.", counted(cleared.Packets, "packet"), config.FormatBytes(cleared.Bytes))},
				removedLines(cleared.Files)...))
		},
	}
}

func removedLines(files []string) []string {
	if len(files) == 0 {
		return []string{"There was no file of it on the disk."}
	}
	var lines []string
	for _, path := range files {
		lines = append(lines, clean(fmt.Sprintf("Removed %s, and the key that opens it.", path)))
	}
	return lines
}

// wouldClear says what there is to wipe.
func (m machine) wouldClear(ctx context.Context, client *control.Client) string {
	st, err := client.Status(ctx)
	if err != nil {
		return fmt.Sprintf(`"pcctl clear --yes" wipes the packets in memory, if the service runs, and its files in %s with the keys that open them.`, m.settings().DataDir)
	}
	held := st.Totals.Stored.Packets - min(st.Totals.Evicted.Packets, st.Totals.Stored.Packets)
	text := fmt.Sprintf(`"pcctl clear --yes" wipes %s in memory`, counted(held, "packet"))
	if dir := st.Persistence.Directory; dir != "" {
		text += fmt.Sprintf(", and %s with the keys that open it", filepath.Join(dir, vault.Name))
	}
	return text + "."
}

// clearFiles wipes the files of a service that does not run.
func (m machine) clearFiles(c *cli.Context) error {
	dir := m.settings().DataDir
	removed, err := vault.Wipe(dir)
	switch {
	case errors.Is(err, datadir.ErrInUse):
		return withHint(fmt.Errorf("%s: %w, but does not answer", dir, err), "it may be starting or stopping: try again. If it runs with --endpoint-dir, give the same here.")
	case errors.Is(err, fs.ErrPermission):
		return withHint(fmt.Errorf("%w: %w", service.ErrPermission, err), hintElevate)
	case err != nil:
		return err
	}
	return printLines(c.App.Writer, append(
		[]string{"The service is not running, so there is nothing in memory."}, removedLines(removed)...))
}
