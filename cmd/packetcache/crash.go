package main

import (
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/crash"
)

// watchCrashes has a crash of the service leave a trace in its directory, and
// tells of the last one. It returns what ends that.
func watchCrashes(log *logrus.Logger, dir string) (end func()) {
	last, end, err := crash.Watch(dir)
	if last != nil {
		eventlog.Crashed(last.Time.Format(time.RFC3339), last.Path, last.Trace).Log(log)
	}
	if err != nil {
		eventlog.CrashUnwatched(err).Log(log)
		return func() {}
	}
	return end
}
