package service

import (
	"io"

	"github.com/sirupsen/logrus"
)

// quiet runs a daemon whose log nobody reads.
func quiet() Config {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return Config{Name: "PacketCache-test", Log: log, ExitCode: func(error) ExitCode { return ExitFailed }}
}
