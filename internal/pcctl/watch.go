package pcctl

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

const watchInterval = time.Second

// The sequences of ECMA-48 and the DEC terminals that a redraw takes.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearAll   = "\x1b[2J"
	home       = "\x1b[H"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
)

// watch shows the status every second until ctx ends, which is how a watch is
// meant to end and no error. A service that goes away later is waited for.
func watch(ctx context.Context, w io.Writer, client *control.Client, asJSON bool) error {
	st, err := client.Status(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	show := plainFrames(w)
	if asJSON {
		show = jsonFrames(w)
	} else if t, ok := terminalOf(w); ok {
		if restore, ok := t.movable(); ok {
			defer restore()
			_, _ = io.WriteString(t.f, hideCursor+clearAll)
			defer func() { _, _ = io.WriteString(t.f, showCursor) }()
			show = terminalFrames(t)
		}
	}
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	trouble := ""
	for {
		if err := show(st, trouble); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := client.Status(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			trouble = err.Error()
			continue
		}
		st, trouble = now, ""
	}
}

// A frame shows the last status there was, and what keeps a newer one away.
type frame func(st control.Status, trouble string) error

func frameLines(st control.Status, trouble string) []string {
	lines := statusLines(st)
	if trouble != "" {
		lines = append([]string{clean("Not reachable, this is from " + stamp(st.Time) + ": " + trouble), ""}, lines...)
	}
	return lines
}

// terminalFrames draws each frame over the last one in a single write and
// clears only what the new lines leave, so that nothing flickers.
func terminalFrames(t terminal) frame {
	return func(st control.Status, trouble string) error {
		columns, rows := t.size()
		lines := frameLines(st, trouble)
		if len(lines) > rows-1 {
			lines = lines[:max(rows-1, 0)]
		}
		var b strings.Builder
		b.WriteString(home)
		for _, line := range lines {
			b.WriteString(cut(line, columns-1) + clearLine + "\n")
		}
		b.WriteString(clearBelow)
		_, err := io.WriteString(t.f, b.String())
		return err
	}
}

// plainFrames prints one frame after the other, for files and pipes.
func plainFrames(w io.Writer) frame {
	return func(st control.Status, trouble string) error {
		return printLines(w, append(frameLines(st, trouble), ""))
	}
}

// jsonFrames prints one status a line; a second without one has no line.
func jsonFrames(w io.Writer) frame {
	return func(st control.Status, trouble string) error {
		if trouble != "" {
			return nil
		}
		text, err := json.Marshal(st)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", text)
		return err
	}
}
