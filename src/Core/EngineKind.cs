namespace FastXen.Core;

/// <summary>What executes a vCPU's instructions.</summary>
public enum EngineKind
{
    /// <summary>The reference engine: one decoded slot after the other.</summary>
    Interpreter,

    /// <summary>Host code made from guest code, over the interpreter.</summary>
    Translator,
}
