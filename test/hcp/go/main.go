// Walks HCP Packer's API with its generated client, as stock tools do: one line of JSON per call, which a test asserts by name.
// Where and as whom is told by the environment that the stock tools read.
package main

import (
	"fmt"
	"os"
)

var walks = map[string]func(*walk){
	"operations": func(w *walk) {
		walkRegistry(w)
		walkBuckets(w)
		walkPublishing(w)
		walkChannels(w)
		walkSboms(w)
		walkLineage(w)
		walkRevocations(w)
		walkBlocks(w)
		walkRunTasks(w)
		walkNeighbours(w)
		walkWebhooks(w)
		walkDeletes(w)
		walkRegistryEnd(w)
	},
	// After the walk above has left a restricted channel, as somebody who may only read.
	"viewer": walkAsViewer,
}

func main() {
	if len(os.Args) != 2 || walks[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: hcp-walk operations|viewer")
		os.Exit(2)
	}
	w, err := connect(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	walks[os.Args[1]](w)
}
