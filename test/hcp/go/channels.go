package main

import packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"

func walkChannels(w *walk) {
	create := w.packer.PackerServiceCreateChannel
	get := w.packer.PackerServiceGetChannel
	update := func(name, channel string, change channelChange) {
		step(w, name, w.packer.PackerServiceUpdateChannel, &packer.PackerServiceUpdateChannelParams{
			BucketName: "walk-base", ChannelName: channel, Body: &change,
		})
	}
	assign := func(name, source, target string) {
		step(w, name, w.packer.PackerServiceAssignChannelVersion, &packer.PackerServiceAssignChannelVersionParams{
			BucketName: "walk-base", Body: &assignBody{SourceChannel: source, TargetChannel: target},
		})
	}
	step(w, "a channel that is missing", get, &packer.PackerServiceGetChannelParams{BucketName: "walk-base", ChannelName: "walked"})
	made := step(w, "a channel is made with a version", create, &packer.PackerServiceCreateChannelParams{
		BucketName: "walk-base", Body: &channelBody{Name: "walked", VersionFingerprint: "base-1"},
	})
	if made.Payload.Channel != nil {
		w.seen.channelID = made.Payload.Channel.ID
	}
	step(w, "a channel is made twice", create, &packer.PackerServiceCreateChannelParams{
		BucketName: "walk-base", Body: &channelBody{Name: "walked"},
	})
	step(w, "latest is made", create, &packer.PackerServiceCreateChannelParams{
		BucketName: "walk-base", Body: &channelBody{Name: "latest"},
	})
	step(w, "a second channel is made", create, &packer.PackerServiceCreateChannelParams{
		BucketName: "walk-base", Body: &channelBody{Name: "copied"},
	})
	step(w, "a restricted channel is made", create, &packer.PackerServiceCreateChannelParams{
		BucketName: "walk-base", Body: &channelBody{Name: "closed", Restricted: true, VersionFingerprint: "base-1"},
	})
	step(w, "a channel", get, &packer.PackerServiceGetChannelParams{BucketName: "walk-base", ChannelName: "walked"})
	step(w, "latest", get, &packer.PackerServiceGetChannelParams{BucketName: "walk-base", ChannelName: "latest"})
	step(w, "channels of a bucket", w.packer.PackerServiceListChannels, &packer.PackerServiceListChannelsParams{BucketName: "walk-base"})
	update("a channel takes a version", "walked", channelChange{VersionFingerprint: "base-2", UpdateMask: "versionFingerprint"})
	update("a channel takes a version that is missing", "walked", channelChange{VersionFingerprint: "nobody", UpdateMask: "versionFingerprint"})
	update("a channel that is missing takes a version", "nowhere", channelChange{VersionFingerprint: "base-1", UpdateMask: "versionFingerprint"})
	update("a change without a mask", "walked", channelChange{VersionFingerprint: "base-1"})
	update("latest takes a version", "latest", channelChange{VersionFingerprint: "base-1", UpdateMask: "versionFingerprint"})
	update("latest is opened", "latest", channelChange{UpdateMask: "restricted"})
	assign("a version is copied", "walked", "copied")
	assign("a version is copied to latest", "walked", "latest")
	update("a channel gives its version up", "copied", channelChange{UpdateMask: "versionFingerprint"})
	step(w, "history of a channel", w.packer.PackerServiceListChannelAssignmentHistory, &packer.PackerServiceListChannelAssignmentHistoryParams{
		BucketName: "walk-base", ChannelName: "walked",
	})
	step(w, "latest is deleted", w.packer.PackerServiceDeleteChannel, &packer.PackerServiceDeleteChannelParams{
		BucketName: "walk-base", ChannelName: "latest",
	})
	step(w, "a channel that is missing is deleted", w.packer.PackerServiceDeleteChannel, &packer.PackerServiceDeleteChannelParams{
		BucketName: "walk-base", ChannelName: "nowhere",
	})
}

func walkAsViewer(w *walk) {
	step(w, "a viewer reads a channel", w.packer.PackerServiceGetChannel, &packer.PackerServiceGetChannelParams{
		BucketName: "walk-base", ChannelName: "walked",
	})
	step(w, "a viewer reads a restricted channel", w.packer.PackerServiceGetChannel, &packer.PackerServiceGetChannelParams{
		BucketName: "walk-base", ChannelName: "closed",
	})
	step(w, "a viewer lists channels", w.packer.PackerServiceListChannels, &packer.PackerServiceListChannelsParams{
		BucketName: "walk-base",
	})
	step(w, "a viewer makes a bucket", w.packer.PackerServiceCreateBucket, &packer.PackerServiceCreateBucketParams{
		Body: &bucketBody{Name: "not-his"},
	})
}
