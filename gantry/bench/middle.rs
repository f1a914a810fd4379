
/// Makes records by several tasks at once.
pub async fn collect(seeds: Vec<u64>) -> indexmap::IndexMap<u64, Record0> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
    for seed in seeds {
        let sender = sender.clone();
        tokio::spawn(async move {
            tracing::debug!(seed, "makes a record");
            sender.send((seed, Record0::sample(seed))).await
        });
    }
    drop(sender);
    let mut records = indexmap::IndexMap::new();
    while let Some((seed, record)) = receiver.recv().await {
        records.insert(seed, record);
    }
    records
}

#[cfg(test)]
mod tests_of_collect {
    #[tokio::test]
    async fn every_task_delivers() {
        assert_eq!(super::collect(vec![1, 2, 3]).await.len(), 3);
    }
}
