package pcctl

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

func statusCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "show what the service is doing and how far back it reaches",
		UsageText: "pcctl status [--json] [--watch]",
		Description: `Shows the state of the service, its memory, the interfaces, and for how long
it remembers: "the first 4 KiB of every session: 2 d" means that the
beginning of every conversation of the last two days is there, up to 4 KiB
of it. "pcctl plan" says how far more or less memory would reach. --json
prints the same for programs; see docs/control.md.

Examples:
  pcctl status
  pcctl status --watch
  pcctl status --json`,
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.BoolFlag{Name: "watch", Usage: "show it again every second until Ctrl+C", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			client := m.newClient(c)
			defer client.Close()
			if c.Bool("watch") {
				return watch(c.Context, c.App.Writer, client, c.Bool(flagJSON))
			}
			st, err := client.Status(c.Context)
			if err != nil {
				return err
			}
			if c.Bool(flagJSON) {
				return printJSON(c.App.Writer, st)
			}
			return printLines(c.App.Writer, statusLines(st))
		},
	}
}

func printJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

func printLines(w io.Writer, lines []string) error {
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
