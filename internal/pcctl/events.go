package pcctl

import (
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/eventlog"
)

func eventsCommand() *cli.Command {
	return &cli.Command{
		Name:      "events",
		Usage:     "list the events that the service reports, and what to do",
		UsageText: "pcctl events [--json]",
		Description: `Lists what the service may report to the Event Log or to the journal, by ID.
%1, %2, ... stand for what an event is about. docs/events.md says more, with
queries for those who forward events.

Examples:
  pcctl events
  pcctl events --json`,
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			events := eventlog.Events()
			if c.Bool(flagJSON) {
				return printJSON(c.App.Writer, map[string]any{"events": events})
			}
			t := table{header: []string{"ID", "SEVERITY", "CATEGORY", "NAME", "TEXT"}}
			for _, e := range events {
				t.add(strconv.Itoa(int(e.ID)), e.Severity.String(), e.Category.String(), e.Name, e.Text)
			}
			return printLines(c.App.Writer, t.lines())
		},
	}
}
