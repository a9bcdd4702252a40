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
	if err != nil {
		return endOfWatch(ctx, err)
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
	for {
		if err := show(st, err); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var now control.Status
		if now, err = client.Status(ctx); err == nil {
			st = now
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func endOfWatch(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// A frame shows the last status there was, and the error that kept a newer one
// away.
type frame func(st control.Status, err error) error

func frameLines(st control.Status, err error) []string {
	lines := statusLines(st)
	if err != nil {
		lines = append([]string{clean("Not reachable, this is from " + stamp(st.Time) + ": " + err.Error()), ""}, lines...)
	}
	return lines
}

// terminalFrames draws each frame over the last one in a single write and
// clears only what the new lines leave, so that nothing flickers.
func terminalFrames(t terminal) frame {
	return func(st control.Status, err error) error {
		columns, rows := t.size()
		lines := frameLines(st, err)
		if len(lines) > rows-1 {
			lines = lines[:max(rows-1, 0)]
		}
		var b strings.Builder
		b.WriteString(home)
		for _, line := range lines {
			b.WriteString(cut(line, columns-1) + clearLine + "\n")
		}
		b.WriteString(clearBelow)
		_, werr := io.WriteString(t.f, b.String())
		return werr
	}
}

// plainFrames prints one frame after the other, for files and pipes.
func plainFrames(w io.Writer) frame {
	return func(st control.Status, err error) error {
		return printLines(w, append(frameLines(st, err), ""))
	}
}

// jsonFrames prints one status a line; a second without one has no line.
func jsonFrames(w io.Writer) frame {
	return func(st control.Status, err error) error {
		if err != nil {
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
