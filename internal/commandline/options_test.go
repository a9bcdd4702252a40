package commandline

import (
	"io"
	"testing"

	"github.com/urfave/cli/v2"
)

// What the library says of options is put into words that name them as they are
// typed.
func TestExplain(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--jsn"}, `there is no option --jsn: did you mean "--json"?`},
		{[]string{"--sinec", "1h"}, `there is no option --sinec: did you mean "--since"?`},
		{[]string{"-x"}, `there is no option -x`},
		{[]string{"--colour=red"}, `there is no option --colour`},
		{[]string{"--secrte"}, `there is no option --secrte`},
		{[]string{"--since"}, `--since: its value is missing`},
		{[]string{"-w"}, `-w: its value is missing`},
		{[]string{"--last", "x\"y"}, `--last: "x\"y" is not a number`},
		{[]string{"--last", "99999999999999999999"}, `--last: "99999999999999999999" is not a number`},
		{[]string{"--share", "much"}, `--share: "much" is not a number`},
		{[]string{"--json=perhaps"}, `--json: "perhaps" is neither true nor false`},
	} {
		var got error
		app := &cli.App{
			Writer: io.Discard, ErrWriter: io.Discard,
			ExitErrHandler: func(*cli.Context, error) {},
			Flags: []cli.Flag{
				&cli.BoolFlag{Name: "json"}, &cli.IntFlag{Name: "last"}, &cli.Float64Flag{Name: "share"},
				&cli.StringFlag{Name: "since"}, &cli.StringFlag{Name: "write", Aliases: []string{"w"}},
				&cli.BoolFlag{Name: "secret", Hidden: true},
			},
		}
		app.OnUsageError = func(c *cli.Context, err error, _ bool) error {
			got = Explain(err, app.Flags)
			return got
		}
		_ = app.Run(append([]string{"program"}, test.args...))
		if got == nil || got.Error() != test.want {
			t.Errorf("%q: %v, want %s", test.args, got, test.want)
		}
	}
}
