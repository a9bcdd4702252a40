package pcctl

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/version"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:      "version",
		Usage:     "print the version of this program",
		UsageText: "pcctl version",
		Description: `Prints the version of pcctl; that of the service is in "pcctl status".

Example:
  pcctl version`,
		Action: func(c *cli.Context) error {
			_, err := fmt.Fprintln(c.App.Writer, c.App.Name+" version "+version.String())
			return err
		},
	}
}
