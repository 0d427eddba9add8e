package main

import (
	"strings"

	packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"
)

func walkBuckets(w *walk) {
	get := w.packer.PackerServiceGetBucket
	create := w.packer.PackerServiceCreateBucket
	list := w.packer.PackerServiceListBuckets
	step(w, "a bucket that is missing", get, &packer.PackerServiceGetBucketParams{BucketName: "walk-base"})
	step(w, "a bucket is made", create, &packer.PackerServiceCreateBucketParams{
		Body: &bucketBody{Name: "walk-base", Description: "of a walk", Labels: map[string]string{"team": "walkers"}},
	})
	step(w, "a bucket is made twice", create, &packer.PackerServiceCreateBucketParams{Body: &bucketBody{Name: "walk-base"}})
	step(w, "a child's bucket is made", create, &packer.PackerServiceCreateBucketParams{Body: &bucketBody{Name: "walk-child"}})
	step(w, "a bucket is changed", w.packer.PackerServiceUpdateBucket, &packer.PackerServiceUpdateBucketParams{
		BucketName: "walk-base",
		Body:       &bucketChange{Description: "walked on", Labels: map[string]string{"team": "runners"}},
	})
	step(w, "a bucket that is missing is changed", w.packer.PackerServiceUpdateBucket, &packer.PackerServiceUpdateBucketParams{
		BucketName: "walk-nowhere",
		Body:       &bucketChange{Description: "x"},
	})
	step(w, "a bucket", get, &packer.PackerServiceGetBucketParams{BucketName: "walk-base"})
	first := step(w, "a page of buckets", list, &packer.PackerServiceListBucketsParams{
		SortingOrderBy: []string{"name"}, PaginationPageSize: to(int64(1)),
	})
	if first.Payload.Pagination != nil {
		w.seen.nextPage = first.Payload.Pagination.NextPageToken
	}
	step(w, "the next page of buckets", list, &packer.PackerServiceListBucketsParams{
		SortingOrderBy: []string{"name"}, PaginationPageSize: to(int64(1)), PaginationNextPageToken: &w.seen.nextPage,
	})
	step(w, "a page that nobody gave out", list, &packer.PackerServiceListBucketsParams{
		PaginationNextPageToken: to("nobody's"),
	})
	step(w, "a body that is too large", w.packer.PackerServiceUpdateBucket, &packer.PackerServiceUpdateBucketParams{
		BucketName: "walk-base",
		Body:       &bucketChange{Description: strings.Repeat("x", 8<<20)},
	})
	step(w, "a bucket that is missing is deleted", w.packer.PackerServiceDeleteBucket, &packer.PackerServiceDeleteBucketParams{
		BucketName: "walk-nowhere",
	})
}

func walkDeletes(w *walk) {
	remove := w.packer.PackerServiceDeleteVersion
	step(w, "a version that is missing is deleted", remove, &packer.PackerServiceDeleteVersionParams{
		BucketName: "walk-base", Fingerprint: "nobody",
	})
	step(w, "a version on a channel is deleted", remove, &packer.PackerServiceDeleteVersionParams{
		BucketName: "walk-base", Fingerprint: "base-2",
	})
	step(w, "a version on a channel is deleted with roll back", remove, &packer.PackerServiceDeleteVersionParams{
		BucketName: "walk-base", Fingerprint: "base-2", RollbackChannels: to(true),
	})
	step(w, "the channel after it", w.packer.PackerServiceGetChannel, &packer.PackerServiceGetChannelParams{
		BucketName: "walk-base", ChannelName: "walked",
	})
	step(w, "a channel is deleted", w.packer.PackerServiceDeleteChannel, &packer.PackerServiceDeleteChannelParams{
		BucketName: "walk-base", ChannelName: "copied",
	})
	step(w, "a build is deleted", w.packer.PackerServiceDeleteBuild, &packer.PackerServiceDeleteBuildParams{
		BucketName: "walk-child", Fingerprint: "child-open", BuildID: w.seen.buildID,
	})
	step(w, "a bucket is deleted", w.packer.PackerServiceDeleteBucket, &packer.PackerServiceDeleteBucketParams{
		BucketName: "walk-child",
	})
	step(w, "the bucket after it", w.packer.PackerServiceGetBucket, &packer.PackerServiceGetBucketParams{
		BucketName: "walk-child",
	})
}
