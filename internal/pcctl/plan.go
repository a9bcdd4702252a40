package pcctl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

func planCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "estimate how far back another amount of memory would reach",
		UsageText: "pcctl plan [--ram SIZE|PERCENT]... [--json]",
		Description: `Shows how far back the cache reaches now, and would reach with other amounts
of memory once it has settled, if traffic goes on as it was since the service
started. SIZE is bytes or a number with kB, KiB, MB, MiB, GB or GiB, PERCENT
of the machine's memory a number with %. Without --ram: half of what the
service has now, the same, twice and four times as much.

In a cache that is still young the beginnings of sessions take little room yet,
and the same memory reaches further back now than it will in the long run.

It is an estimate, the better the longer the service has run: what it saw may
not be what comes. Sessions under a retention rule are not meant; by its factor
they reach further or less far.

Examples:
  pcctl plan
  pcctl plan --ram 2%
  pcctl plan --ram 2% --ram 5% --ram 320MiB
  pcctl config set ram-percent 2     (then makes it so)`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "ram", Usage: "memory to plan with, `SIZE|PERCENT`; may be given several times"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			asked := c.StringSlice("ram")
			if err := checkAsked(asked); err != nil {
				return &usageProblem{command: c.Command.Name, err: err}
			}
			client := m.newClient(c)
			defer client.Close()
			plan, err := client.Plan(c.Context, control.PlanRequest{RAM: asked})
			if err == nil && len(asked) == 0 {
				plan, err = client.Plan(c.Context, control.PlanRequest{RAM: around(plan)})
			}
			if err != nil {
				return err
			}
			if c.Bool(flagJSON) {
				return printJSON(c.App.Writer, plan)
			}
			return printLines(c.App.Writer, planLines(plan))
		},
	}
}

// checkAsked finds what the service would not understand as it is meant.
func checkAsked(ram []string) error {
	if len(ram) > control.MaxPlans {
		return fmt.Errorf("--ram is given %d times, at most %d are taken", len(ram), control.MaxPlans)
	}
	for _, text := range ram {
		if strings.Contains(text, ",") {
			return fmt.Errorf("--ram %q has a comma: a decimal point is a point, and several amounts take --ram each", text)
		}
	}
	return nil
}

// around are the budgets to plan with when none is asked for, as far as the
// machine can have them.
func around(now control.Plan) []string {
	most := int64(config.Largest(uint64(max(now.RAMBytes, 0))))
	var list []string
	for _, bytes := range []int64{now.BudgetBytes / 2, now.BudgetBytes, now.BudgetBytes * 2, now.BudgetBytes * 4} {
		if bytes >= int64(config.MinBudget) && bytes <= most {
			list = append(list, strconv.FormatInt(bytes, 10))
		}
	}
	return list
}

// planLines is a plan for a person.
func planLines(p control.Plan) []string {
	if !slices.ContainsFunc(p.Budgets, func(b control.PlannedBudget) bool { return len(b.Horizons) > 0 }) {
		return []string{"Nothing has been recorded yet by which to plan."}
	}
	t := table{header: []string{"", ">NOW (" + bytesText(p.BudgetBytes) + ")"}}
	for _, b := range p.Budgets {
		name := bytesText(b.BudgetBytes)
		if strings.Contains(b.RAM, "%") {
			name = clean(b.RAM) + " (" + name + ")"
		}
		t.header = append(t.header, ">"+name)
	}
	extrapolated := false
	for i, h := range p.Horizons {
		row := []string{beginning(h.UpToBytes, i == 0), reachNow(h)}
		for _, b := range p.Budgets {
			planned := slices.IndexFunc(b.Horizons, func(to control.PlannedHorizon) bool { return to.UpToBytes == h.UpToBytes })
			if planned < 0 {
				row = append(row, "")
				continue
			}
			extrapolated = extrapolated || b.Horizons[planned].Extrapolated
			row = append(row, reachPlanned(b.Horizons[planned]))
		}
		t.add(row...)
	}
	seen := span(seconds(p.Rates.Seconds))
	lines := append([]string{"How far back the cache reaches now, and would in the long run", ""}, t.lines()...)
	lines = append(lines, "", fmt.Sprintf("Estimated from the %s seen so far: %s packets/s, %s/s, compressed to 1/%.1f.", seen,
		strconv.FormatFloat(p.Rates.PacketsPerSecond, 'f', 1, 64), config.FormatBytes(uint64(max(p.Rates.BytesPerSecond, 0))), p.Rates.Compression))
	if extrapolated {
		lines = append(lines, "~ is longer than that, and supposes that traffic goes on like this.")
	}
	return append(lines, "A larger cache takes that long to reach so far: what was forgotten does not come back.")
}

// reachNow is how far back something is there.
func reachNow(h control.Horizon) string {
	if h.Complete {
		return "all, " + span(seconds(h.Seconds))
	}
	return span(seconds(h.Seconds))
}

// reachPlanned is how far back something is going to be there.
func reachPlanned(h control.PlannedHorizon) string {
	const most = 10 * 365 * 24 * time.Hour // beyond which nobody plans
	age := seconds(h.Seconds)
	switch {
	case age > most:
		return "over 10 years"
	case h.Extrapolated:
		return "~ " + span(age)
	}
	return span(age)
}
