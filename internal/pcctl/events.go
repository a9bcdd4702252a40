package pcctl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/eventlog"
)

func eventsCommand() *cli.Command {
	return &cli.Command{
		Name:      "events",
		Usage:     "show what the service reported, or list what it may report",
		UsageText: "pcctl events [--last N] [--json]",
		Description: `With --last it shows what happened: the newest N events in ` + systemLog + `, the
oldest first. Without, it lists what the service may report there, by ID; %1, %2,
... stand for what an event is about. docs/events.md says what to do about each,
with queries for those who forward events.

Examples:
  pcctl events
  pcctl events --last 20
  pcctl events --last 100 --json`,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "last", Usage: "show the newest `N` that happened", DefaultText: "list all kinds"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.IsSet("last") {
				return happenedAction(c)
			}
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

// A happened is an event in the log.
type happened struct {
	Time time.Time `json:"time"`
	ID   uint16    `json:"id"`
	// Name and Category are empty for an event that this pcctl does not know.
	Name     string `json:"name"`
	Severity string `json:"severity"`
	Category string `json:"category"`
	Text     string `json:"text"`
}

// recorded is an event as this version of the catalogue has it, or with the text
// that the log has.
func recorded(at time.Time, id uint16, values []string, otherwise string) happened {
	h := happened{Time: at, ID: id, Text: otherwise}
	if o, known := eventlog.Recorded(id, values); known {
		e := o.Event()
		h.Name, h.Severity, h.Category = e.Name, e.Severity.String(), e.Category.String()
		if otherwise == "" {
			h.Text = o.Text()
		}
	}
	return h
}

// maxHappened is the most events that are asked for.
const maxHappened = 100_000

func happenedAction(c *cli.Context) error {
	n := c.Int("last")
	if n < 1 || n > maxHappened {
		return &usageProblem{command: c.Command.Name, err: fmt.Errorf("--last: %d is not a number from 1 to %d", n, maxHappened)}
	}
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	list, err := newestEvents(ctx, n)
	if err != nil {
		return err
	}
	slices.Reverse(list)
	if c.Bool(flagJSON) {
		return printJSON(c.App.Writer, map[string]any{"happened": append([]happened{}, list...)})
	}
	if len(list) == 0 {
		return printLines(c.App.Writer, noneHappened())
	}
	t := table{header: []string{"TIME", "ID", "SEVERITY", "TEXT"}}
	for _, h := range list {
		t.add(stamp(h.Time), strconv.Itoa(int(h.ID)), h.Severity, h.Text)
	}
	return printLines(c.App.Writer, t.lines())
}

// noneHappened says why there may be none.
func noneHappened() []string {
	lines := []string{"No event of PacketCache is in " + systemLog + "."}
	if hidden := eventsHidden(); hidden != "" {
		lines = append(lines, hidden)
	}
	return append(lines, "A service that runs in the foreground reports in its terminal.")
}

// errNoLog means that the system has no log that can be asked.
var errNoLog = errors.New("the log cannot be read")
