package pcctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// openOutput prepares to write path. What stands there and is not a file, such
// as a named pipe that Wireshark reads from or /dev/null, is written to as it
// is; a file is written beside its place and moved there at the end. It then
// replaces one of that name, or without replace takes the next name that is free.
func openOutput(ctx context.Context, path string, replace bool) (output, error) {
	info, err := os.Stat(path)
	switch {
	case !replace:
	case err == nil && info.IsDir():
		return nil, withHint(fmt.Errorf("%s is a directory", path), "name the file in it: -w "+quoted(filepath.Join(path, "out.pcap"))+".")
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		// A pipe without a reader would block for good.
		context.AfterFunc(ctx, func() { _ = f.Close() })
		return deviceOutput{f}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	dir := filepath.Dir(path)
	// CreateTemp gives mode 0600: a dump is for nobody else to read.
	f, err := os.CreateTemp(dir, ".pcctl-*.part")
	if err != nil {
		return nil, withHint(fmt.Errorf("cannot write to the directory of %s: %w", path, cause(err)), "choose another place with -w.")
	}
	out := &fileOutput{file: f, path: path, replace: replace}
	if err := handToCaller(f); err != nil {
		out.discard()
		return nil, fmt.Errorf("hand %s to the user who called sudo: %w", path, cause(err))
	}
	return out, nil
}

// A deviceOutput is something other than a file.
type deviceOutput struct{ *os.File }

func (d deviceOutput) commit() error { return d.Close() }
func (d deviceOutput) discard()      { _ = d.Close() }

// A fileOutput becomes the file at path when it is committed. Until then it has
// another name, which errors do not tell: nobody has asked for it.
type fileOutput struct {
	file    *os.File
	path    string
	replace bool
	// replaced is what was there when it was committed, nil for nothing.
	replaced fs.FileInfo
	done     bool
}

func (o *fileOutput) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if err != nil {
		return n, fmt.Errorf("write %s: %w", o.path, cause(err))
	}
	return n, nil
}

// commit puts the bytes on the disk before the name, so that not even a power
// failure leaves part of a file under it.
func (o *fileOutput) commit() error {
	if err := o.file.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", o.path, cause(err))
	}
	if err := o.file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", o.path, cause(err))
	}
	if o.replace {
		o.replaced, _ = os.Lstat(o.path)
	} else if err := o.reserve(); err != nil {
		return fmt.Errorf("put the complete file at %s: %w", o.path, cause(err))
	}
	if err := os.Rename(o.file.Name(), o.path); err != nil {
		if !o.replace {
			_ = os.Remove(o.path)
		}
		return fmt.Errorf("put the complete file at %s: %w", o.path, cause(err))
	}
	o.done = true
	syncDir(filepath.Dir(o.path))
	return nil
}

// reserve takes the first name that is free, of FILE.pcap, FILE-2.pcap and so on,
// with an empty file that the rename replaces: another dump may end right now.
func (o *fileOutput) reserve() error {
	ext := filepath.Ext(o.path)
	base := strings.TrimSuffix(o.path, ext)
	for n := 2; ; n++ {
		f, err := os.OpenFile(o.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		o.path = base + "-" + strconv.Itoa(n) + ext
	}
}

func (o *fileOutput) discard() {
	if !o.done {
		_ = o.file.Close()
		_ = os.Remove(o.file.Name())
	}
}

// cause is an error of the file system without the names of files.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
