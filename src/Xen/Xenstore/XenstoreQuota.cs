namespace FastXen.Xen.Xenstore;

/// <summary>What a domain without privilege may have in the store. The numbers are xenstored's defaults.</summary>
/// <param name="Nodes">Nodes that it owns.</param>
/// <param name="NodeSize">Bytes of a node: value, and 8 for each permission.</param>
/// <param name="Watches">Watches.</param>
/// <param name="Transactions">Open transactions.</param>
/// <param name="TransactionNodes">Nodes that a transaction looks at or changes.</param>
public sealed record XenstoreQuota(
    int Nodes = 1000, int NodeSize = 2048, int Watches = 128, int Transactions = 10, int TransactionNodes = 1024);
