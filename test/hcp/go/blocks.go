package main

import packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"

const (
	sayHello = "provisioner \"shell-local\" {\n  inline = [\"echo hello\"]\n}\n"
	sayBye   = "provisioner \"shell-local\" {\n  inline = [\"echo bye\"]\n}\n"
)

func walkBlocks(w *walk) {
	made := step(w, "an enforced block is made", w.packer.PackerServiceCreateEnforcedBlock, &packer.PackerServiceCreateEnforcedBlockParams{
		Body: &blockBody{
			Name: "say-hello", Version: "1.0.0", BlockContent: sayHello, TemplateType: hcl2,
			AdditionalDescription: "politeness", Labels: map[string]string{"by": "walkers"},
		},
	})
	if made.Payload.EnforcedBlock != nil {
		w.seen.blockID = made.Payload.EnforcedBlock.ID
	}
	block := w.seen.blockID
	step(w, "a block that is no provisioner", w.packer.PackerServiceCreateEnforcedBlock, &packer.PackerServiceCreateEnforcedBlockParams{
		Body: &blockBody{Name: "no-block", Version: "1.0.0", BlockContent: "source \"null\" \"x\" {}", TemplateType: hcl2},
	})
	step(w, "enforced blocks", w.packer.PackerServiceListEnforcedBlocks, &packer.PackerServiceListEnforcedBlocksParams{})
	step(w, "an enforced block", w.packer.PackerServiceGetEnforcedBlock, &packer.PackerServiceGetEnforcedBlockParams{EnforcedBlockID: block})
	step(w, "an enforced block is renamed", w.packer.PackerServiceUpdateEnforcedBlock, &packer.PackerServiceUpdateEnforcedBlockParams{
		EnforcedBlockID: block, Body: &blockChange{Name: "be-polite", UpdateMask: "name"},
	})
	next := step(w, "a version of a block is made", w.packer.PackerServiceCreateEnforcedBlockVersion, &packer.PackerServiceCreateEnforcedBlockVersionParams{
		EnforcedBlockID: block, Body: &blockVersionBody{Version: "2.0.0", BlockContent: sayBye, TemplateType: hcl2},
	})
	if next.Payload.EnforcedBlockVersion != nil {
		w.seen.blockVersionID = next.Payload.EnforcedBlockVersion.ID
	}
	version := w.seen.blockVersionID
	step(w, "versions of a block", w.packer.PackerServiceGetEnforcedBlockVersions, &packer.PackerServiceGetEnforcedBlockVersionsParams{EnforcedBlockID: block})
	step(w, "a version of a block is described", w.packer.PackerServiceUpdateEnforcedBlockVersion, &packer.PackerServiceUpdateEnforcedBlockVersionParams{
		EnforcedBlockID: block, EnforcedBlockVersionID: version,
		Body: &blockVersionDiff{AdditionalDescription: "says bye", UpdateMask: "additionalDescription"},
	})
	manage := func(name string, buckets ...string) {
		step(w, name, w.packer.PackerServiceManageEnforcedBlockLinkedBuckets, &packer.PackerServiceManageEnforcedBlockLinkedBucketsParams{
			EnforcedBlockID: block, EnforcedBlockVersionID: version, Body: &linkedBody{BucketNames: buckets},
		})
	}
	manage("a bucket is linked", "walk-base")
	step(w, "buckets of a block", w.packer.PackerServiceGetEnforcedBlockLinkedBuckets, &packer.PackerServiceGetEnforcedBlockLinkedBucketsParams{
		EnforcedBlockID: block, EnforcedBlockVersionID: version,
	})
	step(w, "blocks of a bucket", w.packer.PackerServiceGetEnforcedBlocksByBucket, &packer.PackerServiceGetEnforcedBlocksByBucketParams{BucketName: "walk-base"})
	manage("no bucket is linked")
	step(w, "blocks of a bucket without any", w.packer.PackerServiceGetEnforcedBlocksByBucket, &packer.PackerServiceGetEnforcedBlocksByBucketParams{BucketName: "walk-base"})
	step(w, "a version of a block is deleted", w.packer.PackerServiceDeleteEnforcedBlockVersion, &packer.PackerServiceDeleteEnforcedBlockVersionParams{
		EnforcedBlockID: block, EnforcedBlockVersionID: version,
	})
	step(w, "an enforced block is deleted", w.packer.PackerServiceDeleteEnforcedBlock, &packer.PackerServiceDeleteEnforcedBlockParams{EnforcedBlockID: block})
	step(w, "an enforced block that is missing", w.packer.PackerServiceGetEnforcedBlock, &packer.PackerServiceGetEnforcedBlockParams{EnforcedBlockID: block})
}
