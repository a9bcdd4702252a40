//go:build unix

package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// watch follows the directory of the file, since editors put a new file in
// place of the old one, that of the file which it links to, and as long as
// there is no such directory, the one in which it would be made.
func (f TOMLFile) watch(ctx context.Context, hint func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", f.Path, err)
	}
	defer func() { _ = watcher.Close() }()
	for {
		paths, err := f.follow(watcher)
		if err != nil {
			return fmt.Errorf("watching %s: %w", f.Path, err)
		}
		hint() // at what came before
		for concerned := false; !concerned; {
			select {
			case <-ctx.Done():
				return nil
			case err := <-watcher.Errors:
				return fmt.Errorf("watching %s: %w", f.Path, err)
			case event := <-watcher.Events:
				concerned = slices.ContainsFunc(paths, func(path string) bool { return leadsTo(event.Name, path) })
			}
		}
	}
}

// follow has the right directories watched and returns the paths that matter.
func (f TOMLFile) follow(watcher *fsnotify.Watcher) (paths []string, err error) {
	for {
		var dirs []string
		paths, dirs = f.places()
		for _, dir := range watcher.WatchList() {
			if !slices.Contains(dirs, dir) {
				_ = watcher.Remove(dir) // it may have gone
			}
		}
		for _, dir := range dirs {
			// Adding one that is watched already follows what stands there now.
			if err = watcher.Add(dir); err != nil {
				break
			}
		}
		again, now := f.places()
		if slices.Equal(paths, again) && slices.Equal(dirs, now) {
			return paths, err
		}
	}
}

// places are the file, what it links to, and the existing directories nearest
// to these.
func (f TOMLFile) places() (paths, dirs []string) {
	path, err := filepath.Abs(f.Path)
	if err != nil {
		path = f.Path
	}
	paths = []string{path}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		paths = append(paths, target)
	}
	for _, path := range paths {
		dir := filepath.Dir(path)
		for dir != filepath.Dir(dir) {
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				break
			}
			dir = filepath.Dir(dir)
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return paths, dirs
}

// leadsTo reports whether name is path or a directory above it.
func leadsTo(name, path string) bool {
	return strings.HasPrefix(path+"/", strings.TrimSuffix(name, "/")+"/")
}
