namespace FastXen.Core.Emit;

/// <summary>The general registers of x86-64, by their hardware numbers.</summary>
public enum HostRegister : byte
{
    Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15,
}
