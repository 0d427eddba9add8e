package main

import packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"

func walkRegistry(w *walk) {
	step(w, "the registry of a new project", w.packer.PackerServiceGetRegistry, &packer.PackerServiceGetRegistryParams{})
	step(w, "a registry is made", w.packer.PackerServiceCreateRegistry, &packer.PackerServiceCreateRegistryParams{
		Body: &registryBody{FeatureTier: plus},
	})
	step(w, "its tier is changed", w.packer.PackerServiceUpdateRegistry, &packer.PackerServiceUpdateRegistryParams{
		Body: &registryChange{FeatureTier: standard, UpdateMask: "featureTier"},
	})
	step(w, "it is activated", w.packer.PackerServiceUpdateRegistry, &packer.PackerServiceUpdateRegistryParams{
		Body: &registryChange{Activated: true, UpdateMask: "config.activated"},
	})
}

func walkRegistryEnd(w *walk) {
	step(w, "the registry is deleted", w.packer.PackerServiceDeleteRegistry, &packer.PackerServiceDeleteRegistryParams{})
	step(w, "a bucket in a deleted registry", w.packer.PackerServiceCreateBucket, &packer.PackerServiceCreateBucketParams{
		Body: &bucketBody{Name: "too-late"},
	})
	step(w, "it is made again", w.packer.PackerServiceCreateRegistry, &packer.PackerServiceCreateRegistryParams{
		Body: &registryBody{FeatureTier: plus},
	})
}

func walkRunTasks(w *walk) {
	step(w, "the run task", w.packer.PackerServiceGetRegistryTFCRunTaskAPI, &packer.PackerServiceGetRegistryTFCRunTaskAPIParams{
		TaskType: "validation",
	})
	step(w, "a run task that is none", w.packer.PackerServiceGetRegistryTFCRunTaskAPI, &packer.PackerServiceGetRegistryTFCRunTaskAPIParams{
		TaskType: "applause",
	})
	step(w, "its new key", w.packer.PackerServiceRegenerateTFCRunTaskHmacKey, &packer.PackerServiceRegenerateTFCRunTaskHmacKeyParams{})
	step(w, "untracked images warn", w.packer.PackerServiceUpdateRunTaskConfig, &packer.PackerServiceUpdateRunTaskConfigParams{
		Body: &runTaskChange{OnUntrackedImage: warn},
	})
	step(w, "what untracked images do", w.packer.PackerServiceGetRunTaskConfig, &packer.PackerServiceGetRunTaskConfigParams{})
}
