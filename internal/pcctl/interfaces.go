package pcctl

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

func interfacesCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "interfaces",
		Usage:     "list the interfaces and what happens at each",
		UsageText: "pcctl interfaces [--json]",
		Description: `Lists where packets are recorded, where not, and why. "covered" means that
the same packets are recorded at another interface, such as the bridge that
this one belongs to. The backend is what captures there; the note says what it
cannot see.

Examples:
  pcctl interfaces
  pcctl interfaces --json`,
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			client := m.newClient(c)
			defer client.Close()
			interfaces, err := client.Interfaces(c.Context)
			if err != nil {
				return err
			}
			if c.Bool(flagJSON) {
				return printJSON(c.App.Writer, control.Interfaces{Interfaces: interfaces})
			}
			return printLines(c.App.Writer, interfaceLines(interfaces, true))
		},
	}
}

// interfaceLines is a table of the interfaces, with their addresses when whole.
func interfaceLines(interfaces []control.Interface, whole bool) []string {
	if len(interfaces) == 0 {
		return []string{"none"}
	}
	t := table{header: []string{"NAME", "LINK TYPE", "STATE", "BACKEND", ">PACKETS", ">BYTES", ">DROPPED", "ADDRESSES", "NOTE"}}
	for _, i := range interfaces {
		addresses := ""
		if whole {
			addresses = strings.Join(i.Addresses, " ")
			if i.MAC != "" {
				addresses = strings.TrimSpace(addresses + " " + i.MAC)
			}
		}
		var packets, bytes, dropped string
		if i.ID >= 0 {
			packets, bytes, dropped = grouped(i.Received.Packets), config.FormatBytes(i.Received.Bytes), grouped(i.Dropped)
		}
		t.add(i.Name, i.LinkType, string(i.State), i.Backend, packets, bytes, dropped, addresses, interfaceNote(i, whole))
	}
	return t.lines()
}

func interfaceNote(i control.Interface, whole bool) string {
	var parts []string
	if i.CoveredBy != "" {
		parts = append(parts, "covered by "+i.CoveredBy)
	}
	if i.Error != "" {
		parts = append(parts, i.Error)
	}
	if i.Note != "" {
		parts = append(parts, i.Note)
	}
	if i.Filter != "" {
		parts = append(parts, "only "+i.Filter)
	}
	if whole && i.Description != "" {
		parts = append(parts, i.Description)
	}
	return strings.Join(parts, "; ")
}
