package pcctl

const (
	endpointDirUsage = "`SUFFIX` of the service's pipe names, if any [%" + envEndpointDir + "%]"
	hintNotRunning   = "start the service with \"pcctl start\" as administrator (once installed: \"pcctl install\"); if it runs with --endpoint-dir, give the same here."
	hintElevate      = "open the prompt with \"Run as administrator\"."
	hintNotPermitted = "the cache holds other people's traffic, so this takes an administrator: open the prompt with \"Run as administrator\"."
)
